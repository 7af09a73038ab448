"""The floor with the sockets: everything that listens, connects, waits, or knows the time.

    supervisor     binds, and keeps the others alive: a `nursery`, which loads rules and forks a generation of workers,
                   and the `desk`, which talks to people, on the listener of `admin`, and watches the rule folder
    worker         a process that answers; `report` tells the desk what it counted, `channel` carries other messages
    notify         what systemd is told; `activation` takes the sockets that it holds
    server         what runs in a worker: starts, stops; the demo and tests run one alone
    live           the table that holds now, swapped when its time is over; `clock` knows when
    vestibule      where connections wait for TLS to be agreed, and for a balancer to introduce them (PROXY protocol);
                   `trust` says whom to believe
    door           one client: plain requests are answered here, and all others shown into the hall
    connection     one client in the hall: where every other request comes in, and where malformed ones end
    clients        all that are connected: how many, and for how long they may keep quiet
    handler        a request to its decision, a decision to its answer
    relay          a forwarded request: both bodies, in both directions, at the pace of the slower side
    upstream       connections to origins: a `pool` for each, an `exchange` for each request, `dialling` for new ones;
                   `resolver` says which addresses they may lead to
    certificates   those of a folder, by the names inside them; `tls` is how they are presented
    counts         what was done, as numbers; `metrics` gives them names, `admin` is where they are read
    access_log     a line for each request, for whoever wants that
    settings       every limit and timeout, by name; `configuration` says where their values come from

Nothing here decides what a request gets: `core` does, and this floor does it.
"""
