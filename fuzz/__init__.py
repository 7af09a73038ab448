"""Inputs that nobody thought of: `make fuzz`, or `python -m fuzz --help`.

    targets        what is fuzzed, as a table: a function of some bytes that must hold for all of them
    head           targets: requests at the front door and on the full path
    injector       targets: pages that a notice is put into
    answers        targets: answers of origins, bodies in chunks
    proxies        targets: what is said of a client by those in front
    cutting        how an input comes that may be cut anywhere
    sites          the rule files below, and when they are asked about
    corpus/        kept inputs, a folder a target: where each run begins, and what the tests put every target to
    rules/         the rule files that deciders and servers are asked about

atheris searches, guided by which lines and comparisons of `proxy` and of the target an input reaches. What makes a
target raise is kept in `fuzz/findings/`; once it is mended, it goes into the corpus.
"""
