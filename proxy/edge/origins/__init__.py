"""The way to origins: where the old sites still run.

    turns          which of a site's origins is asked, and for a while none that has failed
    upstream       the connections to all of them: a `pool` for each, an `exchange` for each request
    dialling       a new connection; `addresses` are looked up, and `resolver` says which may be
    connection     one of them: bytes out at the origin's pace, and bytes in
    faults         what an origin can fail at

What is sent there, and what becomes of the answer, is the business of `relay`.
"""
