"""robots.txt and the sitemaps of old addresses."""

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from proxy.core.decision import Local, Resource
from proxy.core.mapping import MappingTable
from proxy.core.old_addresses import SITEMAP_ADDRESSES
from proxy.core.rulebook import Rulebook
from proxy.core.table import SiteTable, Table
from proxy.wire.robots import robots_text
from proxy.wire.sitemap import Sitemap
from tests.edge.sites import AFTER, rule, site

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def mapped(count: int) -> MappingTable:
    return MappingTable.of("uk.csv", ((b"/uk/p/%d" % number, b"https://www.mi.com/") for number in range(count)))


def table_of(**keys: Any) -> Table:
    return Rulebook([site(base=b"/uk", robots=True, sitemap=True, **keys)]).at(AFTER)


def site_table(**keys: Any) -> SiteTable:
    return table_of(**keys).sites[0]


def locations(xml: bytes) -> tuple[str, list[str | None]]:
    root: Element = fromstring(xml)
    return root.tag.removeprefix(NAMESPACE), [element.text for element in root.iter(f"{NAMESPACE}loc")]


def test_robots_allows_all_and_names_the_sitemaps() -> None:
    text = robots_text([b"https://po.co/sitemap.xml", b"https://po.co/uk/sitemap.xml"])
    assert text == (
        b"User-agent: *\nAllow: /\n\nSitemap: https://po.co/sitemap.xml\nSitemap: https://po.co/uk/sitemap.xml\n"
    )
    assert robots_text([]) == b"User-agent: *\nAllow: /\n"


def test_the_addresses_of_rules_and_mappings_are_listed_on_the_host_that_was_asked() -> None:
    rules = (rule("/uk/a", "/uk/b"), rule("/uk/t&c", "/uk/terms", 1), rule("/uk/cart/*", "/uk/cart", 2))
    document = Sitemap(site_table(rules=rules, mappings=mapped(2))).document(b"http://po.co:8080", b"")
    root, found = locations(document)
    assert root == "urlset"
    assert found == [f"http://po.co:8080/uk/{path}" for path in ("a", "t&c", "p/0", "p/1")]


def test_a_site_without_old_addresses_has_an_empty_sitemap() -> None:
    assert locations(Sitemap(site_table()).document(b"https://po.co", b"")) == ("urlset", [])


@pytest.mark.parametrize("count", [SITEMAP_ADDRESSES, SITEMAP_ADDRESSES + 1, 2 * SITEMAP_ADDRESSES + 1])
def test_every_address_is_listed_once_and_no_file_holds_too_many(count: int) -> None:
    table = table_of(mappings=mapped(count))
    sitemap = Sitemap(table.sites[0])
    pending, found = [b"/uk/sitemap.xml"], []
    while pending:
        decision = table.decide(b"po.co", pending.pop())
        assert isinstance(decision, Local)
        assert decision.resource is Resource.SITEMAP
        root, listed = locations(sitemap.document(b"https://po.co", decision.name))
        assert len(listed) <= SITEMAP_ADDRESSES
        if root == "sitemapindex":
            pending += [str(address).removeprefix("https://po.co").encode() for address in listed]
        else:
            found += listed
    assert len(found) == count
    assert set(found) == {f"https://po.co/uk/p/{number}" for number in range(count)}


def test_a_host_has_the_sitemaps_of_all_its_sites() -> None:
    sites = [site("g", sitemap=True), site(base=b"/uk", sitemap=True), site("w", hosts=("*.co",), base=b"/x")]
    table = Rulebook(sites).at(AFTER)
    assert {found.site.name for found in table.sites_of(b"PO.co:80")} == {"g", "uk", "w"}
    assert {found.site.name for found in table.sites_of(b"other.co")} == {"w"}
    assert table.sites_of(b"mi.com") == ()
    assert table.sites_of(b"a b") == ()
