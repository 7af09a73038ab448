"""robots.txt after the cutover: crawlers shall come, and see that everything has moved (RFC 9309).

Only crawlers that may read the old addresses learn of their redirects, so nothing is forbidden, and the sitemaps of the
old addresses are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTENT_TYPE = b"text/plain; charset=utf-8"


def robots_text(sitemaps: Iterable[bytes]) -> bytes:
    """The file, with the absolute addresses of sitemaps."""
    lines = [b"User-agent: *", b"Allow: /"]
    named = [b"Sitemap: " + address for address in sitemaps]
    if named:
        lines += [b"", *named]
    return b"\n".join(lines) + b"\n"
