"""The floor with the sockets: everything that listens, connects, waits, or knows the time.

    server         binds, starts, stops: the one that is run
    live           the table that holds now, swapped when its time is over; `clock` knows when
    connection     one client: where requests come in, and where malformed ones end
    handler        a request to its decision, a decision to its answer
    relay          a forwarded request: both bodies, in both directions, at the pace of the slower side
    upstream       connections to origins: a `pool` for each, an `exchange` for each request, `dialling` for new ones;
                   `resolver` says which addresses they may lead to
    certificates   those of a folder, by the names inside them; `tls` is how they are presented
    metrics        what was counted; `admin` is where it is read
    settings       every limit and timeout, by name; `configuration` says where their values come from

Nothing here decides what a request gets: `core` does, and this floor does it.
"""
