"""Sitemaps of the old addresses, as a host and scheme were asked for them (sitemaps.org protocol 0.9).

A sitemap lists 50,000 addresses at most; where there are more, `sitemap.xml` is an index of the others. A large file
would take long to put together for each request, so its paths are escaped once, when it is first asked for, and a
request costs one replacement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.old_addresses import SITEMAP_ADDRESSES, old_addresses, sitemap_parts

if TYPE_CHECKING:
    from proxy.core.table import SiteTable

CONTENT_TYPE = b"application/xml; charset=utf-8"

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = b"http://www.sitemaps.org/schemas/sitemap/0.9"


class Sitemap:
    """The sitemaps of one site."""

    def __init__(self, table: SiteTable) -> None:
        self._table = table
        self._parts = sitemap_parts(table)
        self._lines: dict[int, bytes] = {}
        """The paths of each part that was asked for, escaped, each on a line."""

    def document(self, home: bytes, part: bytes) -> bytes:
        """One file. `home` is scheme and authority (`b"https://po.co"`), `part` a number from 1, empty for the first.

        Raises `ValueError` where `part` is no number.
        """
        home = _escaped(home)
        if self._parts and not part:
            base = _escaped(self._table.site.base)
            files = b"\n".join(base + b"/sitemap-%d.xml" % number for number in range(1, self._parts + 1))
            return _listing(b"sitemapindex", b"sitemap", home, files)
        return _listing(b"urlset", b"url", home, self._lines_of(int(part or b"1")))

    def _lines_of(self, part: int) -> bytes:
        if part not in self._lines:
            end = part * SITEMAP_ADDRESSES
            self._lines[part] = _escaped(b"\n".join(old_addresses(self._table, end - SITEMAP_ADDRESSES, end)))
        return self._lines[part]


def _listing(root: bytes, element: bytes, home: bytes, lines: bytes) -> bytes:
    before = b"<%b><loc>%b" % (element, home)
    after = b"</loc></%b>\n" % element
    body = before + lines.replace(b"\n", after + before) + after if lines else b""
    return b'%b<%b xmlns="%b">\n%b</%b>\n' % (_DECLARATION, root, _NAMESPACE, body, root)


def _escaped(raw: bytes) -> bytes:
    if b"&" not in raw and b"<" not in raw and b">" not in raw and b"'" not in raw and b'"' not in raw:
        return raw
    escaped = raw.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    return escaped.replace(b"'", b"&apos;").replace(b'"', b"&quot;")
