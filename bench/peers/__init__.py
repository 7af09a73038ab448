"""A file a server: the same rules in its own words, and how it is started with one worker and without an access log.

Each is configured as its manual would have it, with nothing added that Sunset alone has to do.
"""
