"""The old addresses that a site knows one by one: what its sitemap lists, so that crawlers see the redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.answer import FixedRedirect

if TYPE_CHECKING:
    from proxy.core.table import SiteTable

SITEMAP_ADDRESSES = 50_000
"""How many addresses one sitemap may list (sitemaps.org protocol)."""


def old_addresses(table: SiteTable, start: int, end: int) -> list[bytes]:
    """The single addresses that redirect by a rule or mapping of the site's own, as paths in normal form, by number."""
    rules = [path for path, answer in table.exact.items() if isinstance(answer, FixedRedirect)]
    found = rules[start:end]
    if table.mappings is not None:
        rows = table.mappings.mappings
        numbers = range(max(start - len(rules), 0), min(end - len(rules), len(rows)))
        found += [rows.row(number).old for number in numbers]
    return [path or b"/" for path in found]


def sitemap_parts(table: SiteTable) -> int:
    """Into how many sitemaps the old addresses are divided; 0 where the one at `sitemap.xml` holds them all."""
    rules = sum(isinstance(answer, FixedRedirect) for answer in table.exact.values())
    count = rules + (len(table.mappings.mappings) if table.mappings is not None else 0)
    return -(-count // SITEMAP_ADDRESSES) if count > SITEMAP_ADDRESSES else 0
