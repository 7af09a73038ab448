"""The processes of one server, and what they say to each other.

    supervisor     binds, and keeps the others alive
    nursery        loads rules, and forks the workers of one generation
    worker         answers clients; `report` tells the desk what it has counted
    desk           talks to people, on the listener of `admin`, and watches the rule folder

    child          a forked process, `waiting` for its end and for other events, `backoff` before the next one
    channel        carries `messages`; `lifeline` says who is still wanted, `presence` who accepts
    notify         what systemd is told; `activation` takes the sockets that it holds

Who is lost takes nobody along: each of them is replaced while the others go on.
"""
