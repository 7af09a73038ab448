"""Lets the banner's style pass the page's own policy: its hash is added, and nothing else (CSP Level 3).

A page may have many policies, and each has to agree (section 3.1). In each one directive governs `<style>` elements:
`style-src-elem`, else `style-src`, else `default-src` (6.8.4), and the first of a name is the one that counts (2.2.1).
Where it allows inline style by 'unsafe-inline', it is left as it is: a hash beside it would switch that off (6.7.3.2).
Where `default-src` governs, its sources are repeated in a new `style-src`, which says the same and the hash.

Policies that only report are left alone. One in a `<meta>` is not seen here: the banner is readable without its style.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.wire.head import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.head import Header

FIELD: Final = b"content-security-policy"

_UNREADABLE = re.compile(rb"[^\t\x20-\x7e]")
_GOVERNING: Final = (b"style-src-elem", b"style-src", b"default-src")
_NONE: Final = b"'none'"
_UNSAFE_INLINE: Final = b"'unsafe-inline'"
_NONCE_OR_HASH = re.compile(rb"'(?:nonce|sha256|sha384|sha512)-[A-Za-z0-9+/_-]+={0,2}'", re.IGNORECASE)


def with_style(headers: Sequence[Header], source: bytes) -> list[Header] | None:
    """The header fields of an answer with a style allowed whose hash is `source` (`'sha256-…'`).

    `None` where a policy is not written in ASCII, so that nobody knows what a browser makes of it: leave it, and use no
    style.
    """
    if not values_of(FIELD, headers):
        return list(headers)
    allowing: list[Header] = []
    for name, value in headers:
        if name.lower() != FIELD:
            allowing.append((name, value))
        elif _UNREADABLE.search(value) is not None:
            return None
        else:
            allowing.append((name, b",".join([_allowing(policy, source) for policy in value.split(b",")])))
    return allowing


def _allowing(policy: bytes, source: bytes) -> bytes:
    """One policy with the hash in it, where it needs one; the rest of its bytes stay."""
    directives = policy.split(b";")
    places: dict[bytes, int] = {}
    for place, directive in enumerate(directives):
        if words := directive.split(None, 1):
            places.setdefault(words[0].lower(), place)
    for governing in _GOVERNING:
        if governing in places:
            break
    else:
        return policy
    directive = directives[places[governing]]
    written, *sources = directive.split()
    if _allows(sources, source):
        return policy
    listed = b" ".join([*[one for one in sources if one.lower() != _NONE], source])
    if governing == b"default-src":
        return b"%b; style-src %b" % (policy.rstrip(b"; \t"), listed)
    blanks = directive.partition(written)[0]
    directives[places[governing]] = b"%b%b %b" % (blanks, written, listed)
    return b";".join(directives)


def _allows(sources: Sequence[bytes], source: bytes) -> bool:
    """Whether the list allows the style as it is."""
    if source in sources:
        return True
    inline = _UNSAFE_INLINE in [one.lower() for one in sources]
    return inline and not any(_NONCE_OR_HASH.fullmatch(one) for one in sources)
