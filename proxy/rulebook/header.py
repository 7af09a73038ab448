"""Extra response headers (rule-file keys `headers` and `hsts`), as RFC 9110 section 5 allows them.

What frames a message, decides how long it is kept, redirects, or sets cookies stays in Sunset's own hands.
"""

from __future__ import annotations

import re

from proxy.rulebook.refusal import Refusal

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff\t]*")

_RESERVED = frozenset(
    (
        # framing and connections (RFC 9112)
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via"),
        # caching and conditions (RFC 9111, RFC 9110 sections 8.8 and 13)
        *("accept-ranges", "age", "cache-control", "etag", "expires", "last-modified", "pragma", "vary", "warning"),
        *("cdn-cache-control", "surrogate-control"),
        # redirects
        *("location", "refresh", "alt-svc"),
        # cookies
        *("set-cookie", "set-cookie2"),
        # written by Sunset itself
        *("date", "server", "sunset", "deprecation", "strict-transport-security", "retry-after", "allow"),
    )
)
_OF_CONTENT = "content-"
_POLICIES = frozenset({"content-security-policy", "content-security-policy-report-only"})


def parse_header_name(text: str) -> str:
    """The name as it was written. Raises `Refusal`."""
    if not _TOKEN.fullmatch(text):
        raise Refusal("bad-header", f'"{text}" is not a header name: letters, digits and "-"')
    name = text.lower()
    if name == "strict-transport-security":
        raise Refusal("header-reserved", 'the key "hsts" is for this header, which only goes out over TLS')
    if name in _RESERVED or (name.startswith(_OF_CONTENT) and name not in _POLICIES):
        raise Refusal(
            "header-reserved", f'"{text}" frames, caches, redirects, sets cookies, or is written by Sunset itself'
        )
    return text


def parse_header_value(text: str) -> str:
    """The value as it was written. Raises `Refusal`."""
    if not _VALUE.fullmatch(text):
        raise Refusal("bad-header", "the value of a header is one line of Latin-1 text")
    if text != text.strip():
        raise Refusal("bad-header", "the value of a header neither begins nor ends with a blank")
    return text


def hsts_header(max_age: int, *, include_subdomains: bool = False, preload: bool = False) -> bytes:
    """The value of Strict-Transport-Security (RFC 6797 section 6.1)."""
    value = f"max-age={max_age}"
    if include_subdomains:
        value += "; includeSubDomains"
    if preload:
        value += "; preload"
    return value.encode()
