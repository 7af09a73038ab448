"""The floor with the sockets: everything that listens, connects, waits, or knows the time.

    server         what answers clients: starts, stops; a worker runs one, the demo and tests run one alone
    live           the table that holds now, swapped when its time is over; `clock` knows when
    vestibule      where connections wait for TLS to be agreed, and for a balancer to introduce them (PROXY protocol);
                   `trust` says whom to believe
    door           one client: plain requests are answered here, and all others shown into the hall
    connection     one client in the hall: where every other request comes in, and where malformed ones end
    clients        all that are connected: how many, and for how long they may keep quiet
    handler        a request to its decision, a decision to its answer
    relay          a forwarded request: both bodies, in both directions, at the pace of the slower side
    counts         what was done, as numbers; `metrics` gives them names, `admin` is where they are read
    access_log     a line for each request, for whoever wants that

    processes/     who lives beside whom: a supervisor, nurseries with their workers, and the desk
    origins/       the way to where the old sites still run
    tls/           certificates, and how they are presented
    configuration/ every limit and timeout by name, and where their values come from

Nothing here decides what a request gets: `core` does, and this floor does it.
"""
