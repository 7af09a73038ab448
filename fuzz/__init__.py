"""Inputs that nobody thought of: `make fuzz`, or `python -m fuzz --help`.

    targets        what is fuzzed, as a table: a function of some bytes that must hold for all of them
    corpus/        kept inputs, a folder a target: where each run begins, and what the tests put every target to
    rules/         the rule files that the decider is asked about

atheris searches, guided by which lines and comparisons of `proxy` an input reaches. What makes a target raise is kept
in `fuzz/findings/`; once it is mended, it goes into the corpus.
"""
