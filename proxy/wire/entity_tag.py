"""Entity tags of pages with a notice in them, and the way back to the origin's own (RFC 9110 sections 8.8.3 and 13.1).

    "abc"   <->   W/"sunset.0f1e2d3c4b5a.s.abc"        a strong tag of the origin
    W/"abc" <->   W/"sunset.0f1e2d3c4b5a.w.abc"        a weak one

Weak, because what is put in says nothing of the page itself; with the edition of the banner in it, because a copy that
shows another banner, or none at all, has to be fetched anew. So of a condition only what names this edition goes on to
the origin. If-Match stays as it is: it compares strongly, and nobody is to write back a page with a notice in it.
"""

from __future__ import annotations

import re

_TAG = re.compile(rb'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def noticed_tag(tag: bytes, edition: bytes) -> bytes | None:
    """The tag of a page with the banner of that edition in it; `None` where the origin's is malformed."""
    match = _TAG.fullmatch(tag.strip())
    if match is None:
        return None
    return b'W/"sunset.%b.%b.%b"' % (edition, b"w" if match[1] else b"s", match[2])


def origin_condition(condition: bytes, edition: bytes) -> bytes | None:
    """The value of If-None-Match as the origin knows it; `None` where no tag in it is of that edition."""
    if condition.strip() == b"*":
        return condition
    prefix = b"sunset.%b." % edition
    tags: list[bytes] = []
    for _, opaque in _TAG.findall(condition):
        kind, dot, rest = opaque.removeprefix(prefix).partition(b".")
        if opaque.startswith(prefix) and dot and kind in {b"s", b"w"}:
            tags.append(b'%b"%b"' % (b"W/" if kind == b"w" else b"", rest))
    return b", ".join(tags) or None
