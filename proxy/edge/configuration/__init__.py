"""Configuration: every limit and timeout, by name.

    settings       all of them, each with its default and its manual
    setting        one of them: its option, its variable, its key; `notation` is how its value is written
    sources        the values that hold, and where each comes from: command line, environment, or a `sheet` of TOML

A value that cannot be used is told with all others, and with the place where it is written.
"""
