"""Sunset: an edge proxy for a domain that is being retired.

Until a date it forwards to the old site; from that date on it sends every visitor to where the page lives now. The
house has floors. An import goes down, or sideways within a floor; never up, never in a circle (tests/test_floors.py):

    cli/                              argv, exit codes, progress, tables
    edge/  audit/  export/  demo/     sockets; coverage and reports; other servers' formats; all of it on one machine
    acme/                             certificates, asked for and renewed
    rulebook/  wire/  ledger/         YAML and CSV to model; pure bytes of HTTP and HTML; hits and their stores
    core/                             decides: standard library only
    errors.py                         ground

Five words carry the rest. A *site* is what one rule file describes: hosts, a base path, a schedule and rules. A
*rulebook* is all sites of a folder, read and checked as a whole. Between two milestones nothing changes with time, so
the rulebook compiled for one stretch of time is a *table*, and `table.decide(...)` is a pure function without a clock.
What it returns is a *decision*: a frozen value that says what is to be done, and which line of which file said so.
What is done with a request is its *outcome*. The server, `explain`, `audit` and every later reader ask this one
decider; nothing outside `core` compares a host, a path or a date.
"""

__version__ = "0.1.0"
