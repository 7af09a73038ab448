"""What Sunset serves itself: the announcement, robots.txt, sitemaps, well-known files."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from proxy.core.decision import Local, Resource
from proxy.core.url import split_query
from proxy.edge.relay import origin_form
from proxy.wire import robots, sitemap
from proxy.wire.announcement import Announcements, whereabouts
from proxy.wire.asked import asked_page
from proxy.wire.document import Page
from proxy.wire.head import values_of
from proxy.wire.sitemap import Sitemap

if TYPE_CHECKING:
    from proxy.core.table import SiteTable, Table
    from proxy.edge.clock import Clock
    from proxy.edge.request import Request
    from proxy.edge.tls.challenges import Challenges


class Resources:
    """The resources of one table. What is costly to make is made once, when it is first asked for."""

    def __init__(self, table: Table, announcements: Announcements, challenges: Challenges, clock: Clock) -> None:
        self._table = table
        self._announcements = announcements
        self._challenges = challenges
        self._clock = clock
        self._sitemaps: dict[str, Sitemap] = {}

    def page(self, decision: Local, request: Request, authority: bytes) -> Page | None:
        """What is served, `None` where nothing is there.

        `authority` is the host that was asked, with its port: what robots.txt and sitemaps name is on it.
        """
        home = (b"https://" if request.secure else b"http://") + authority
        match decision.resource:
            case Resource.NOTICE:
                return self._announcement(decision, request, authority)
            case Resource.ROBOTS:
                named = [site.site.base for site in self._table.sites_of(authority) if _has_sitemap(site)]
                addresses = sorted(home + base + b"/sitemap.xml" for base in named)
                return Page(((b"Content-Type", robots.CONTENT_TYPE),), robots.robots_text(addresses))
            case Resource.SITEMAP:
                found = self._sitemap(decision, authority)
                if found is None:
                    return None
                body = found.document(home, decision.name)
                return Page(((b"Content-Type", sitemap.CONTENT_TYPE),), body)
            case Resource.WELL_KNOWN:
                return _well_known(decision)
            case Resource.ACME_CHALLENGE:
                return self._challenge(decision)
            case Resource.OPTIONS:
                return Page((), b"")
            case Resource.DISMISS:
                return None  # an answer without a page, which the handler gives
            case _:
                assert_never(decision.resource)

    def _announcement(self, decision: Local, request: Request, authority: bytes) -> Page | None:
        if decision.cause is None:
            return None
        site = decision.cause.site
        _, query = split_query(origin_form(request.raw_target))
        asked = asked_page(query, site.base)
        where = None if asked is None else whereabouts(asked, self._table.decide(authority, asked))
        languages = b",".join(values_of(b"accept-language", request.headers))
        return self._announcements.page(site, self._clock.now(), query, languages, where)

    def _challenge(self, decision: Local) -> Page | None:
        answer = self._challenges.answer(decision.name.decode()) if decision.name else None
        if answer is None:
            return None
        return Page(((b"Content-Type", b"application/octet-stream"), (b"Cache-Control", b"no-store")), answer)

    def _sitemap(self, decision: Local, authority: bytes) -> Sitemap | None:
        for table in self._table.sites_of(authority):
            if decision.cause is not None and table.site is decision.cause.site:
                name = table.site.name
                if name not in self._sitemaps:
                    self._sitemaps[name] = Sitemap(table)
                return self._sitemaps[name]
        return None


def _has_sitemap(table: SiteTable) -> bool:
    """Whether the site has a sitemap in the phase that it is in."""
    return any(isinstance(served, Local) and served.resource is Resource.SITEMAP for served in table.served.values())


def _well_known(decision: Local) -> Page | None:
    if decision.cause is None or (file := decision.cause.site.well_known.get(decision.name)) is None:
        return None
    headers = ((b"Content-Type", file.content_type.encode()), (b"X-Content-Type-Options", b"nosniff"))
    return Page(headers, file.content)
