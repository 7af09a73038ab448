"""The causes of a site's answers in one phase, with the header fields that go along.

What an answer carries besides its Location is known at load: how long it may be kept (RFC 9111 section 5.2.2), when
the site ends (RFC 8594, RFC 9745), HSTS (RFC 6797), and what the rule file adds.
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from proxy.core.decision import Cause
from proxy.core.kind import Kind
from proxy.core.mapping import MAPPINGS, MappingTable
from proxy.core.schedule import Phase

if TYPE_CHECKING:
    from proxy.core.model import Rule, Site

Header = tuple[bytes, bytes]

UNMAPPED = "unmapped"
"""The name under which reports show what no rule matched."""


class Causes:
    """Makes the causes of one site in one phase."""

    def __init__(self, site: Site, phase: Phase) -> None:
        self._site = site
        self._phase = phase

    def of_rule(self, rule: Rule, cache: int | None = None) -> Cause:
        """A rule matched. `cache` in seconds; the site's own where the rule names none."""
        kind = Kind.MAPPING if rule.mapped else rule.pattern.kind
        return self._cause(kind, rule.name, self._fresh(cache), rule)

    def of_forwarding(self, rule: Rule | None) -> Cause:
        """The origin is asked, by a rule or because the phase says so; how long its answer keeps, it says itself."""
        headers = self._notice_headers()
        if rule is None:
            return self._cause(Kind.PHASE, self._phase.value, headers)
        return self._cause(rule.pattern.kind, rule.name, headers, rule)

    def of_mappings(self, mappings: MappingTable) -> Cause:
        """A row of the mappings matched."""
        return self._cause(Kind.MAPPING, MAPPINGS, self._fresh(), mappings=mappings)

    def of_unmapped(self, kind: Kind, cache: int | None = None) -> Cause:
        """No rule matched: `KEEP_PATH` or `FALLBACK`."""
        return self._cause(kind, UNMAPPED, self._fresh(cache))

    def of_phase(self) -> Cause:
        """The phase alone decides."""
        return self._cause(Kind.PHASE, self._phase.value, self._fresh())

    def of_https(self) -> Cause:
        """The scheme comes first."""
        return self._cause(Kind.HTTPS, Kind.HTTPS.value, self._fresh())

    def of_local(self, name: str) -> Cause:
        """Sunset serves it itself; whoever makes the body knows how long it keeps."""
        return self._cause(Kind.LOCAL, name, ())

    def _cause(
        self,
        kind: Kind,
        name: str,
        headers: tuple[Header, ...],
        rule: Rule | None = None,
        mappings: MappingTable | None = None,
    ) -> Cause:
        """With the extra headers of site and rule; a pass-through site has none at all."""
        site = self._site
        place = site.place if rule is None else rule.place
        if site.pass_through:
            return Cause(site, self._phase, kind, name, place)
        extra = {header.lower(): (header, value) for header, value in site.headers}
        if rule is not None:
            extra.update((header.lower(), (header, value)) for header, value in rule.headers)
        headers += tuple(extra.values())
        hsts = ((b"Strict-Transport-Security", site.hsts),) if site.hsts else ()
        return Cause(site, self._phase, kind, name, place, headers, headers + hsts, mappings)

    def _fresh(self, seconds: int | None = None) -> tuple[Header, ...]:
        return ((b"Cache-Control", b"public, max-age=%d" % (self._site.cache if seconds is None else seconds)),)

    def _notice_headers(self) -> tuple[Header, ...]:
        """Only in phase `notice`."""
        site = self._site
        if self._phase is not Phase.NOTICE:
            return ()
        headers: list[Header] = []
        if site.schedule.cutover is not None:
            headers.append((b"Sunset", format_datetime(site.schedule.cutover, usegmt=True).encode()))
        if site.schedule.notice is not None:
            headers.append((b"Deprecation", b"@%d" % site.schedule.notice.timestamp()))
        if site.notice is not None and site.notice.pages:
            headers.append((b"Link", b'<%b>; rel="sunset"' % notice_path(site)))
        return tuple(headers)


def notice_path(site: Site) -> bytes:
    """Where the announcement page of a site is."""
    return site.base + b"/.sunset/notice"
