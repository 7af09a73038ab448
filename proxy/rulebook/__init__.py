"""Rule files: strict YAML and CSV with places, checked and resolved into what `proxy.core.model` describes.

    folder -> document (YAML with places) -> form (what may be written) -> site, rule (what was meant) -> loops, proofs

`load.load` is the door. Every mistake becomes a `Problem`, and all problems of all files come out together.
"""
