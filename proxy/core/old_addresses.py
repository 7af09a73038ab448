"""The old addresses that a site knows one by one: what its sitemap lists, so that crawlers see the redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.answer import FixedRedirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.core.table import SiteTable

SITEMAP_ADDRESSES = 50_000
"""How many addresses one sitemap may list (sitemaps.org protocol)."""


def old_addresses(table: SiteTable) -> Iterator[bytes]:
    """Every single address that redirects by a rule or mapping of the site's own, as a path in normal form."""
    for path, answer in table.exact.items():
        if isinstance(answer, FixedRedirect):
            yield path or b"/"
    for mapping in table.mappings:
        for path in mapping.rows:
            yield path or b"/"


def sitemap_parts(table: SiteTable) -> int:
    """Into how many sitemaps the old addresses are divided; 0 where the one at `sitemap.xml` holds them all."""
    rules = sum(isinstance(answer, FixedRedirect) for answer in table.exact.values())
    count = rules + sum(len(mapping.rows) for mapping in table.mappings)
    return -(-count // SITEMAP_ADDRESSES) if count > SITEMAP_ADDRESSES else 0
