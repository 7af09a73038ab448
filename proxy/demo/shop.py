"""What the old shop sells, and where: read from the rulebook that retires it.

A mapping row `/uk/accessories/some-buds/` means that region `/uk` had a category *Accessories* with a product *Some
Buds*. A product that only another region's list names is sold here too, at the usual address of products. Whatever else
a rule answers to (`/uk/store-app`, `/uk/news/2023/launch`) was a page of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zlib import crc32

from proxy.core.decision import cause_of
from proxy.core.model import AnswerGone
from proxy.core.pattern import Capture, PathPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.core.model import Site
    from proxy.core.rulebook import Rulebook

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
USUAL_CATEGORY: Final = "product"
USUAL_API: Final = "/api"

_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class Product:
    """Something on sale at `path`, an old address without a trailing slash."""

    slug: str
    name: str
    category: str
    path: str

    @property
    def seed(self) -> int:
        """A number that is always the same for this product: its price and its colours come from it."""
        return crc32(self.slug.encode())

    @property
    def price(self) -> int:
        """Made up, in whole euros."""
        return 99 + self.seed % 50 * 10


@dataclass(frozen=True, slots=True)
class Region:
    """One country's shop: everything at `path` (empty at the root of a host) and below it."""

    site: Site
    path: str
    title: str
    products: tuple[Product, ...]
    pages: tuple[str, ...]
    """Paths of rules that are pages of their own, without a trailing slash."""
    api: str

    @property
    def host(self) -> str:
        """The first of the site's hosts; of a wildcard, one that it takes."""
        return self.site.hosts[0].replace("*", "www", 1)

    @property
    def home(self) -> str:
        """The path of the region's first page."""
        return f"{self.path}/"

    @property
    def cart(self) -> str:
        """The path of the cart."""
        return f"{self.path}/cart"

    def product(self, slug: str) -> Product | None:
        """The product of that name."""
        return next((product for product in self.products if product.slug == slug), None)


class Shop:
    """All regions of all sites of a rulebook. `brand` is the word that the names of its sites begin with."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self.brand = _brand(rulebook.sites)
        bases = {site.base.decode() for site in rulebook.sites}
        rows = {site.name: tuple(_mapped_paths(site)) for site in rulebook.sites}
        names = {site.name: _region_paths(site, rows[site.name], bases) for site in rulebook.sites}
        listed = {
            (site.name, path): self._listed(path, rows[site.name])
            for site in rulebook.sites
            for path in names[site.name]
        }
        everything = {product.slug: product for products in listed.values() for product in products}
        usual = Counter(product.category for products in listed.values() for product in products if product.category)
        category = usual.most_common(1)[0][0] if usual else USUAL_CATEGORY
        self.regions = tuple(
            self._region(site, path, listed[site.name, path], everything, category)
            for site in rulebook.sites
            for path in names[site.name]
        )

    def region_at(self, site: Site, path: str) -> Region | None:
        """The region of a site that a path lies in."""
        for region in self.regions:
            if region.site is site and (path + "/").startswith(region.home):
                return region
        return None

    def site_at(self, host: str, raw_target: bytes) -> Site | None:
        """The site that owns an address; Sunset's own decider says so."""
        cause = cause_of(self._rulebook.at(LONG_AGO).decide(host.encode("latin-1"), raw_target))
        return None if cause is None else cause.site

    def regions_of(self, site: Site) -> tuple[Region, ...]:
        """The regions of one site."""
        return tuple(region for region in self.regions if region.site is site)

    def is_page(self, region: Region, raw_target: bytes) -> bool:
        """Whether some rule names an address: then there was a page."""
        instant = region.site.schedule.cutover or LONG_AGO
        cause = cause_of(self._rulebook.at(instant).decide(region.host.encode(), raw_target))
        return cause is not None and cause.kind.is_written

    def words(self, slug: str) -> str:
        """`some-f5-pro` as people write it."""
        return " ".join(map(self._word, slug.replace("_", "-").split("-")))

    def _word(self, word: str) -> str:
        if word == self.brand.lower():
            return self.brand
        abbreviated = len(word) <= 2 or (len(word) == 3 and not _VOWELS & set(word))
        return word.upper() if abbreviated or any(map(str.isdigit, word)) else word.capitalize()

    def _listed(self, region: str, paths: Iterable[str]) -> tuple[Product, ...]:
        """The products that mappings know in a region. What is deeper than a category and a name is a part of one."""
        found: dict[str, Product] = {}
        for path in paths:
            parts = path.removeprefix(f"{region}/").split("/")
            if path.startswith(f"{region}/") and len(parts) <= 2:
                found.setdefault(parts[-1], Product(parts[-1], self.words(parts[-1]), "".join(parts[:-1]), path))
        return tuple(found.values())

    def _region(
        self, site: Site, path: str, listed: tuple[Product, ...], everything: dict[str, Product], category: str
    ) -> Region:
        own = {product.slug: product for product in listed}
        others = (
            Product(product.slug, product.name, category, f"{path}/{category}/{product.slug}")
            for product in everything.values()
            if product.slug not in own
        )
        title = self.words(path.rpartition("/")[2] or site.name.rpartition("-")[2])
        return Region(site, path, title, (*own.values(), *others), tuple(_rule_pages(site, path)), _api(site, path))


def _brand(sites: Iterable[Site]) -> str:
    words = Counter(site.name.partition("-")[0] for site in sites)
    return words.most_common(1)[0][0].upper() if words else "SHOP"


def _mapped_paths(site: Site) -> Iterator[str]:
    """The old paths of a site's mappings in their order, without a trailing slash."""
    for row in site.mappings or ():
        yield row.old.decode("latin-1").removesuffix("/")


def _region_paths(site: Site, mapped: Iterable[str], bases: set[str]) -> tuple[str, ...]:
    """The base of a site; for one at the root the first segments of its old addresses, as far as no other site's."""
    if site.base:
        return (site.base.decode(),)
    first = dict.fromkeys(f"/{path.split('/')[1]}" for path in mapped if path.count("/") > 1)
    return tuple(path for path in first if path not in bases) or ("",)


def _rule_pages(site: Site, region: str) -> Iterator[str]:
    """Paths at which a rule has a page of a region: exact ones, and the beginnings of tails."""
    seen = {region, f"{region}/cart"}
    for rule in site.rules:
        if isinstance(rule.pattern, PathPattern) and not isinstance(rule.action, AnswerGone) and not rule.conditions:
            path = _filled(rule.pattern, region)
            if path is not None and path not in seen and path.startswith(f"{region}/"):
                seen.add(path)
                yield path


def _api(site: Site, region: str) -> str:
    """Below which path programs ask: what the rules call gone was not for people."""
    for rule in site.rules:
        if isinstance(rule.action, AnswerGone) and isinstance(rule.pattern, PathPattern) and rule.pattern.tail:
            path = _filled(rule.pattern, region)
            if path is not None:
                return path
    return region + USUAL_API


def _filled(pattern: PathPattern, region: str) -> str | None:
    """A pattern's path with the region's name for a capture in front; `None` where more is captured."""
    parts: list[str] = []
    for index, part in enumerate(pattern.segments):
        if isinstance(part, Capture):
            if index or not region:
                return None
            parts.append(region[1:])
        else:
            parts.append(part.decode("latin-1"))
    return "/" + "/".join(parts)
