"""The floor that decides: pure, and of the standard library only.

`model` is what a human wrote, `compile` turns it into what the server asks, `Table.decide` answers with a `decision`.
Nothing here knows the time of day, a file, a socket or a log; an instant is an argument.
"""
