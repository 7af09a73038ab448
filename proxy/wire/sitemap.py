"""Sitemaps of the old addresses, as a host and scheme were asked for them (sitemaps.org protocol 0.9).

A sitemap lists 50,000 addresses at most; where there are more, `sitemap.xml` is an index of the others. A large file
would take long to put together for each request, so its paths are escaped once, and a request costs one join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.old_addresses import SITEMAP_ADDRESSES, old_addresses, sitemap_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.core.table import SiteTable

CONTENT_TYPE = b"application/xml; charset=utf-8"

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = b"http://www.sitemaps.org/schemas/sitemap/0.9"


class Sitemap:
    """The sitemaps of one site."""

    def __init__(self, table: SiteTable) -> None:
        self._base = table.site.base
        self._parts = sitemap_parts(table)
        self._paths = [_escaped(path) for path in old_addresses(table)]

    def document(self, home: bytes, part: bytes) -> bytes:
        """One file. `home` is scheme and authority (`b"https://po.co"`), `part` a number from 1, empty for the first.

        Raises `ValueError` where `part` is no number.
        """
        home = _escaped(home)
        if part:
            start = (int(part) - 1) * SITEMAP_ADDRESSES
            return _listing(b"urlset", b"url", home, self._paths[start : start + SITEMAP_ADDRESSES])
        if self._parts:
            files = [_escaped(self._base) + b"/sitemap-%d.xml" % number for number in range(1, self._parts + 1)]
            return _listing(b"sitemapindex", b"sitemap", home, files)
        return _listing(b"urlset", b"url", home, self._paths)


def _listing(root: bytes, element: bytes, home: bytes, paths: Sequence[bytes]) -> bytes:
    before = b"<%b><loc>%b" % (element, home)
    after = b"</loc></%b>\n" % element
    body = before + (after + before).join(paths) + after if paths else b""
    return b'%b<%b xmlns="%b">\n%b</%b>\n' % (_DECLARATION, root, _NAMESPACE, body, root)


def _escaped(raw: bytes) -> bytes:
    if b"&" not in raw and b"<" not in raw and b">" not in raw and b"'" not in raw and b'"' not in raw:
        return raw
    escaped = raw.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    return escaped.replace(b"'", b"&apos;").replace(b'"', b"&quot;")
