"""The asked page: how a link of the banner says which page it stands in, and how that is read back.

The page's request target goes along as one parameter, as in `/uk/.sunset/notice?from=/uk/product%3Fc=red`. Anyone
can write such a link, so what is read back is a path and query below the site's base and nothing else: no scheme and
no authority, nothing that a browser would take for one (RFC 3986 section 4.2, and the backslash of the URL standard),
no dot segment that leads out of the base, and nothing that Sunset serves itself.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from proxy.core.url import escape_non_ascii, has_forbidden, normal_form

PARAMETER: Final = b"from"
MAX_BYTES: Final = 2048
"""The longest value that is written: a link must stay below what a request target may have."""

_KEPT: Final = "/?:@!$(),*="  # what a query may hold (RFC 3986 section 3.4), less what HTML and forms read
_FIT: Final = quote_from_bytes(bytes(range(0x100)), _KEPT).encode("ascii")  # all that is kept, and the escapes
_PLAIN: Final = _FIT.replace(b"%", b"")  # what stands for itself
_DOT_SEGMENT = re.compile(rb"/\.{1,2}(?:/|$)")
_OWN = b"/.sunset"


def as_parameter(target: bytes) -> bytes:
    """The value of the parameter for a request target in origin-form; empty where it is too long.

    Pure ASCII, without anything that means something in an attribute of HTML.
    """
    value = target
    if target.translate(None, _PLAIN):
        value = target.replace(b"%", b"%25").replace(b"&", b"%26").replace(b"+", b"%2B")  # what most others have
        if value.translate(None, _FIT):
            value = quote_from_bytes(target, _KEPT).encode("ascii")
    return value if len(value) <= MAX_BYTES else b""


def asked_page(query: bytes | None, base: bytes) -> bytes | None:
    """The request target in the query of a link, `None` where there is none below `base` (`b""` for `/`).

    Use it as a path on the host that was asked, behind a scheme and authority that are not the client's to choose.
    """
    target = escape_non_ascii(_value(query))
    if not target.startswith(b"/") or target.startswith(b"//") or len(target) > MAX_BYTES:
        return None
    if b"\\" in target or b"#" in target or has_forbidden(target):
        return None
    path = normal_form(target.partition(b"?")[0]).lower()
    rest = path[len(base) :]
    if not path.startswith(base.lower()) or (rest and not rest.startswith(b"/")):
        return None
    if _DOT_SEGMENT.search(path) or rest.startswith(_OWN):
        return None
    return target


def _value(query: bytes | None) -> bytes:
    for pair in (query or b"").split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == PARAMETER:
            return unquote_to_bytes(value)
    return b""
