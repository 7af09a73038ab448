"""From what a human wrote to what the server asks: a site and an instant make a `SiteTable`, all sites a `Table`.

Everything that does not depend on a request is done here, once for each stretch of time: which rules hold, which
status they have, which headers go along, in which index they are found.
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, assert_never

from proxy.core.answer import (
    Candidate,
    CapturingRedirect,
    Constant,
    FixedRedirect,
    ForwardWithNotice,
    HttpsUpgrade,
    KeptPath,
    MappingAnswer,
)
from proxy.core.decision import Cause, Forward, Gone, Local, NotFound, Resource
from proxy.core.index import Choices, RegexIndex, Tree
from proxy.core.kind import Kind
from proxy.core.mapping import MAPPINGS
from proxy.core.model import AnswerGone, AnswerNotFound, Https, KeepPath, PassOn, RedirectTo
from proxy.core.pattern import Capture, PathPattern, RegexPattern
from proxy.core.query import KEEP_ALL
from proxy.core.schedule import Phase
from proxy.core.table import HostTable, SiteTable, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proxy.core.answer import Answer, NoticePaths
    from proxy.core.model import Action, Rule, Site
    from proxy.core.schedule import Window

TEMPORARY = 302
UNMAPPED = "unmapped"
SITEMAP_ADDRESSES = 50_000
"""How many addresses one sitemap may list (sitemaps.org protocol)."""

Header = tuple[bytes, bytes]


def compile_site(site: Site, instant: datetime) -> SiteTable:
    """The site as it is at `instant`."""
    phase = Phase.PASS_THROUGH if site.pass_through else site.schedule.phase_at(instant)
    return _Compiler(site, phase, instant).table()


def compile_table(tables: Sequence[SiteTable], stretch: Window, *, preview_suffix: str = "") -> Table:
    """The sites by their hosts; each host is also known with `preview_suffix` behind it."""
    names: dict[bytes, dict[bytes, SiteTable]] = {}
    wildcards: dict[bytes, dict[bytes, SiteTable]] = {}
    for table in tables:
        for written in table.site.hosts:
            for host in {written, written + preview_suffix}:
                if host.startswith("*."):
                    wildcards.setdefault(host[1:].encode(), {})[table.site.base] = table
                else:
                    names.setdefault(host.encode(), {})[table.site.base] = table
    wild: dict[bytes, HostTable] = {}
    for suffix in sorted(wildcards, key=len):
        wild[suffix] = HostTable(suffix, wildcards[suffix], _wider(suffix, wild))
    named = {host: HostTable(b"", sites, _wider(b"." + host, wild)) for host, sites in names.items()}
    return Table(named, wild, tuple(tables), stretch.since, stretch.until)


def _wider(suffix: bytes, wild: dict[bytes, HostTable]) -> HostTable | None:
    """The longest wildcard that covers all that `suffix` (`b".a.po.co"`) covers."""
    dot = suffix.find(b".", 1)
    while dot >= 0:
        if (found := wild.get(suffix[dot:])) is not None:
            return found
        dot = suffix.find(b".", dot + 1)
    return None


class _Compiler:
    """One site at one instant."""

    def __init__(self, site: Site, phase: Phase, instant: datetime) -> None:
        self.site = site
        self.phase = phase
        self.instant = instant
        self.temporary = site.schedule.is_temporary(instant)

    def table(self) -> SiteTable:
        """The site's table."""
        site, phase = self.site, self.phase
        if phase is Phase.PASS_THROUGH:
            return SiteTable(site, phase, self.forward())
        if phase is Phase.GONE:
            table = SiteTable(site, phase, Constant(Gone(self.cause(Kind.PHASE, "end", self.fresh(site.cache)))))
            self.serve_well_known(table)
            return table
        otherwise = self.forward() if phase.forwards else self.action(site.unmapped, None)
        table = SiteTable(site, phase, otherwise)
        if site.https is Https.REDIRECT:
            cause = self.cause(Kind.HTTPS, "https", self.fresh(site.cache))
            table.upgrade = HttpsUpgrade(cause, self.status(None), KEEP_ALL)
        self.add_rules(table)
        if phase is Phase.REDIRECT:
            self.add_mappings(table)
        self.serve(table)
        return table

    # What a rule does

    def action(self, action: Action, rule: Rule | None) -> Answer:
        """The answer of a rule, or of `unmapped` where `rule` is None."""
        site = self.site
        match action:
            case RedirectTo(target, status, cache, keep_query):
                kind = Kind.FALLBACK if rule is None else Kind.MAPPING if rule.mapped else rule.pattern.kind
                cause = self.rule_cause(rule, kind, site.cache if cache is None else cache)
                keep = site.keep_query if keep_query is None else keep_query
                used = frozenset(condition.name for condition in rule.conditions) if rule is not None else frozenset()
                if (fixed := target.fixed) is not None:
                    return FixedRedirect(cause, self.status(status), fixed, keep, used)
                return CapturingRedirect(cause, self.status(status), target, keep, used)
            case KeepPath():
                if site.moves_to is None:
                    raise ValueError(f"{site.place}: a kept path needs moves_to")
                cause = self.rule_cause(rule, Kind.KEEP_PATH, site.cache)
                return KeptPath(cause, self.status(None), site.moves_to, site.keep_query, site.base)
            case AnswerGone():
                return Constant(Gone(self.rule_cause(rule, Kind.FALLBACK, site.cache)))
            case AnswerNotFound():
                return Constant(NotFound(self.rule_cause(rule, Kind.FALLBACK, site.cache)))
            case PassOn():
                return self.forward(rule)
            case _:
                assert_never(action)

    def forward(self, rule: Rule | None = None) -> Answer:
        """Forwarding, with the notice in its phase."""
        site = self.site
        cause = self.rule_cause(rule, Kind.PHASE, None, self.notice_headers())
        if self.phase is not Phase.NOTICE:
            return Constant(Forward(cause, notice=False, successor=None))
        cutover = site.schedule.cutover
        after = compile_site(site, cutover) if cutover is not None else None
        return ForwardWithNotice(cause, after, _notice_paths(site))

    def status(self, named: int | None) -> int:
        """What a redirect is now: what the rule names, else temporary until the site's redirects are permanent."""
        if named is not None:
            return named
        return TEMPORARY if self.temporary else self.site.status

    # Causes and headers

    def rule_cause(self, rule: Rule | None, kind: Kind, cache: int | None, headers: tuple[Header, ...] = ()) -> Cause:
        """The cause of an answer that a rule gives, or the lack of one."""
        if cache is not None:
            headers += self.fresh(cache)
        if rule is None:
            name = kind.value if kind is Kind.PHASE else UNMAPPED
            return self.cause(kind, name, headers)
        kind = Kind.MAPPING if rule.mapped else rule.pattern.kind
        return self.cause(kind, rule.name, headers, rule)

    def cause(self, kind: Kind, name: str, headers: tuple[Header, ...], rule: Rule | None = None) -> Cause:
        """A cause, with the extra headers of site and rule; a pass-through site has none at all."""
        site = self.site
        place = site.place if rule is None else rule.place
        if site.pass_through:
            return Cause(site, self.phase, kind, name, place)
        extra = {header.lower(): (header, value) for header, value in site.headers}
        if rule is not None:
            extra.update((header.lower(), (header, value)) for header, value in rule.headers)
        headers += tuple(extra.values())
        hsts = ((b"Strict-Transport-Security", site.hsts),) if site.hsts else ()
        return Cause(site, self.phase, kind, name, place, headers, headers + hsts)

    def fresh(self, seconds: int) -> tuple[Header, ...]:
        """For how long an answer may be kept (RFC 9111 section 5.2.2)."""
        return ((b"Cache-Control", b"public, max-age=%d" % seconds),)

    def notice_headers(self) -> tuple[Header, ...]:
        """Sunset (RFC 8594), Deprecation (RFC 9745) and the link to the notice."""
        schedule = self.site.schedule
        if self.phase is not Phase.NOTICE:
            return ()
        headers: list[Header] = []
        if schedule.cutover is not None:
            headers.append((b"Sunset", format_datetime(schedule.cutover, usegmt=True).encode()))
        if schedule.notice is not None:
            headers.append((b"Deprecation", b"@%d" % schedule.notice.timestamp()))
        if self.site.notice is not None and self.site.notice.page:
            headers.append((b"Link", b'<%b>; rel="sunset"' % self.notice_path()))
        return tuple(headers)

    # What is served here

    def notice_path(self) -> bytes:
        """Where the announcement page is."""
        return self.site.base + b"/.sunset/notice"

    def serve(self, table: SiteTable) -> None:
        """Everything that Sunset serves itself in this phase."""
        self.serve_well_known(table)
        if self.phase is Phase.BEFORE:
            return
        site = self.site
        not_found = NotFound(self.cause(Kind.LOCAL, "sunset", self.fresh(site.cache)))
        folder = site.base + b"/.sunset/"
        table.served_below += ((self.folded(folder), not_found),)
        if site.notice is not None and site.notice.page:
            table.served[self.folded(self.notice_path())] = self.local(Resource.NOTICE)
        if self.phase is Phase.REDIRECT:
            if site.robots:
                table.served[b"/robots.txt"] = self.local(Resource.ROBOTS)
            if site.sitemap:
                table.served[self.folded(site.base + b"/sitemap.xml")] = self.local(Resource.SITEMAP)
                for part in range(1, sitemap_parts(table) + 1):
                    path = site.base + b"/sitemap-%d.xml" % part
                    table.served[self.folded(path)] = self.local(Resource.SITEMAP, b"%d" % part)

    def serve_well_known(self, table: SiteTable) -> None:
        """The files of `well_known`; once nothing is forwarded, ACME challenges too (RFC 8555 section 8.3)."""
        for name in self.site.well_known:
            table.served[self.folded(b"/.well-known/" + name)] = self.local(Resource.WELL_KNOWN, name)
        if not self.phase.forwards:
            challenge = self.local(Resource.ACME_CHALLENGE)
            table.served_below += ((b"/.well-known/acme-challenge/", challenge),)

    def local(self, resource: Resource, name: bytes = b"") -> Local:
        """The decision to serve something here."""
        return Local(self.cause(Kind.LOCAL, resource.value, ()), resource, name)

    def folded(self, path: bytes) -> bytes:
        """The path as this site compares it."""
        return path if self.site.match_case else path.lower()

    # Where rules are found

    def add_rules(self, table: SiteTable) -> None:
        """The rules that hold now, each in its index."""
        exact: dict[bytes, list[Candidate]] = {}
        tree = _Patterns()
        regexes: list[tuple[RegexPattern, Candidate]] = []
        for rule in self.site.rules:
            if self.instant not in rule.window:
                continue
            match rule.pattern:
                case RegexPattern() as pattern:
                    regexes.append((pattern, self.candidate(rule)))
                case PathPattern(captures=(), tail=False) as pattern:
                    for key in self.exact_keys(pattern, rule):
                        exact.setdefault(key, []).append(self.candidate(rule, pattern))
                case PathPattern() as pattern:
                    tree.add(pattern, self.candidate(rule, pattern), fold=table.fold)
                case _:
                    assert_never(rule.pattern)
        for key, candidates in exact.items():
            if len(candidates) == 1 and candidates[0].unconditional:
                table.exact[key] = candidates[0].answer
            else:
                table.choices[key] = Choices(candidates)
        tree.plant(table.patterns)
        table.regexes = RegexIndex(regexes, fold=table.fold) if regexes else None
        table.searched = bool(tree.patterns or regexes)

    def exact_keys(self, pattern: PathPattern, rule: Rule) -> Iterable[bytes]:
        """The keys under which an exact path is found: where the site tells `/a` from `/a/`, perhaps both."""
        key = self.folded(pattern.literal_prefix)
        if not self.site.match_slash:
            return (key,)
        if not rule.match_slash:
            return (key, key + b"/") if key else (b"/",)
        return (key + b"/",) if pattern.trailing_slash or not key else (key,)

    def candidate(self, rule: Rule, pattern: PathPattern | None = None) -> Candidate:
        """A rule's answer with its conditions."""
        slash = None
        if rule.match_slash and pattern is not None and (pattern.kind is not Kind.EXACT or not self.site.match_slash):
            slash = pattern.tail or pattern.trailing_slash or not pattern.segments
        return Candidate(
            self.action(rule.action, rule),
            rule.order,
            conditions=rule.conditions,
            methods=rule.methods,
            slash=slash,
            captures=() if pattern is None else pattern.captures,
            tail_after=len(pattern.segments) if pattern is not None and pattern.tail else None,
        )

    def add_mappings(self, table: SiteTable) -> None:
        """The mappings, which hold from the cutover on."""
        site = self.site
        answers = []
        for mapping in site.mappings:
            cause = self.cause(Kind.MAPPING, MAPPINGS, self.fresh(site.cache))
            cause = Cause(
                cause.site,
                cause.phase,
                cause.kind,
                cause.rule,
                cause.place,
                cause.headers,
                cause.secure_headers,
                mapping,
            )
            answers.append(MappingAnswer(cause, self.status(None), mapping, site.keep_query))
        table.mappings = tuple(answers)


class _Patterns:
    """Gathers the candidates of each pattern before they are ranked."""

    def __init__(self) -> None:
        self.patterns: dict[tuple[object, ...], tuple[list[bytes | Capture], bool, list[Candidate]]] = {}

    def add(self, pattern: PathPattern, candidate: Candidate, *, fold: bool) -> None:
        segments = [part.lower() if fold and isinstance(part, bytes) else part for part in pattern.segments]
        identity = (pattern.tail, tuple(part if isinstance(part, bytes) else None for part in segments))
        self.patterns.setdefault(identity, (segments, pattern.tail, []))[2].append(candidate)

    def plant(self, tree: Tree[Choices]) -> None:
        for segments, tail, candidates in self.patterns.values():
            node = tree.node(segments)
            if tail:
                node.below = Choices(candidates)
            else:
                node.whole = Choices(candidates)


def _notice_paths(site: Site) -> NoticePaths:
    """Where the site shows its notice."""
    if site.notice is None:
        return lambda _path: False
    skipped: Tree[bool] = Tree()
    for pattern in site.notice.skip:
        parts = [part if isinstance(part, Capture) or site.match_case else part.lower() for part in pattern.segments]
        node = skipped.node(parts)
        if pattern.tail:
            node.below = True
        else:
            node.whole = True

    def shows(path: bytes) -> bool:
        compared = path if site.match_case else path.lower()
        parts = compared.removesuffix(b"/").split(b"/")[1:]
        wholes, tails = skipped.matches(parts)
        return not wholes and not tails

    return shows


def count_old_addresses(table: SiteTable) -> int:
    """How many addresses `old_addresses` lists."""
    return sum(1 for answer in table.exact.values() if isinstance(answer, FixedRedirect)) + sum(
        len(mapping.rows) for mapping in table.mappings
    )


def sitemap_parts(table: SiteTable) -> int:
    """Into how many sitemaps the old addresses are divided; 0 where the one at `sitemap.xml` holds them all."""
    count = count_old_addresses(table)
    return -(-count // SITEMAP_ADDRESSES) if count > SITEMAP_ADDRESSES else 0


def old_addresses(table: SiteTable) -> Iterable[bytes]:
    """Every single address of a site that redirects by a rule or mapping of its own, as paths in normal form."""
    for path, answer in table.exact.items():
        if isinstance(answer, FixedRedirect):
            yield path or b"/"
    for mapping in table.mappings:
        yield from mapping.rows
