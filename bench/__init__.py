"""How fast Sunset is, beside servers that everybody knows: `make bench`, or `python -m bench --help`.

    scenario       what is measured, as a literal table: who is asked what, and how
    rules          what every server is told to do; `ask` the requests that follow from it, and their right answers
    peers/         a file a server: the same rules in its own words
    server         one that runs, pinned to a core, with all its processes; `process` reads what they cost from /proc
    answers        every server is asked before it is measured: who answers otherwise than the others is not measured
    load           wrk, on the other core; `handshakes` where every request is a TLS handshake
    kernel         what is set in the kernel for a run, and set back
    run            rounds in turn: A B C A B C
    results        what was measured, as it is written to bench/results/; `machine` says where
    goals          what the figures must show
    terminal       figures for the eye; `summary` as lines of servers, `markdown` as tables in documents, `plot` as bars

What is compared is CPU time: the microseconds that all processes of a server took, user and system, for each request
that was answered. A shared machine drifts by a factor of two, and rates with it; this figure, taken in turn, stands
still. docs/performance.md tells the whole method.

`core`, `tables` and `memory` are programs of their own: decisions without sockets, tables of all sizes, and what large
bodies take.
"""
