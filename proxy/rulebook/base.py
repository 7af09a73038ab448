"""The path below which a site owns everything (rule-file key `base`)."""

from __future__ import annotations

from proxy.core.url import escape_written, normal_form
from proxy.rulebook.refusal import Refusal


def parse_base(text: str) -> bytes:
    """The base in normal form without a trailing slash: `b""` for `/`. Raises `Refusal`."""
    if not text.startswith("/"):
        raise Refusal("bad-base", 'a base begins with "/", as in "/uk"')
    for mark in "?#*{}":
        if mark in text:
            raise Refusal("bad-base", f'a base is a plain path, without "{mark}"', text.index(mark))
    for position, char in enumerate(text):
        if char < " " or char == "\x7f":
            raise Refusal("bad-base", "a control character cannot stand in a base", position)
    base = normal_form(escape_written(text)).removesuffix(b"/")
    if b"//" in base or base.endswith(b"/"):
        raise Refusal("bad-base", "a base has no empty segments: two slashes follow each other", text.index("//"))
    return base


def lies_in(path: bytes, base: bytes, *, match_case: bool) -> bool:
    """Whether a path (normal form) is the base or below it."""
    if not match_case:
        path, base = path.lower(), base.lower()
    return path == base or path.startswith(base + b"/")
