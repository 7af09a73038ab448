"""From what a human wrote to what the server asks: a site and an instant make a `SiteTable`, all sites a `Table`.

Everything that does not depend on a request is done here, once for each stretch of time: which rules hold, which
status they have, which headers go along, in which index they are found.
"""

from __future__ import annotations

from functools import cached_property
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
from proxy.core.causes import Causes, notice_path
from proxy.core.challenge import FOLDER as CHALLENGES
from proxy.core.decision import Forward, Gone, Local, NotFound, Resource
from proxy.core.index import Choices, RegexIndex, Tree
from proxy.core.kind import Kind
from proxy.core.model import AnswerGone, AnswerNotFound, Https, KeepPath, PassOn, RedirectTo
from proxy.core.old_addresses import sitemap_parts
from proxy.core.pattern import Capture, PathPattern, RegexPattern
from proxy.core.query import KEEP_ALL
from proxy.core.schedule import Phase
from proxy.core.table import HostTable, SiteTable, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proxy.core.answer import Answer, NoticePaths
    from proxy.core.decision import Cause, Decision
    from proxy.core.model import Rule, Site
    from proxy.core.schedule import Window

TEMPORARY = 302


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
        self.causes = Causes(site, phase)

    def table(self) -> SiteTable:
        """The site's table."""
        site, phase = self.site, self.phase
        if phase is Phase.PASS_THROUGH:
            return SiteTable(site, phase, self.forward(None))
        if phase is Phase.GONE:
            table = SiteTable(site, phase, Constant(Gone(self.causes.of_phase())))
            self.serve_well_known(table)
            return table
        table = SiteTable(site, phase, self.forward(None) if phase.forwards else self.unmapped())
        if site.https is Https.REDIRECT:
            table.upgrade = HttpsUpgrade(self.causes.of_https(), self.status(None), KEEP_ALL)
        self.add_rules(table)
        if phase is Phase.REDIRECT and site.mappings is not None:
            cause = self.causes.of_mappings(site.mappings)
            table.mappings = MappingAnswer(cause, self.status(None), site.mappings, site.keep_query)
        self.serve(table)
        table.is_bare = not (table.exact or table.choices or table.searched or table.mappings)
        return table

    # What is done

    def of_rule(self, rule: Rule) -> Answer:
        """The answer of a rule."""
        match rule.action:
            case RedirectTo(cache=cache) as action:
                used = frozenset(condition.name for condition in rule.conditions)
                return self.redirect(self.causes.of_rule(rule, cache), action, used)
            case KeepPath():
                return self.keep_path(self.causes.of_rule(rule))
            case AnswerGone():
                return Constant(Gone(self.causes.of_rule(rule)))
            case AnswerNotFound():
                return Constant(NotFound(self.causes.of_rule(rule)))
            case PassOn():
                return self.forward(rule)
            case _:
                assert_never(rule.action)

    def unmapped(self) -> Answer:
        """The answer where no rule matches, after the cutover."""
        match self.site.unmapped:
            case RedirectTo(cache=cache) as action:
                return self.redirect(self.causes.of_unmapped(Kind.FALLBACK, cache), action)
            case KeepPath():
                return self.keep_path(self.causes.of_unmapped(Kind.KEEP_PATH))
            case AnswerGone():
                return Constant(Gone(self.causes.of_unmapped(Kind.FALLBACK)))
            case AnswerNotFound():
                return Constant(NotFound(self.causes.of_unmapped(Kind.FALLBACK)))
            case PassOn():
                return self.forward(None)
            case _:
                assert_never(self.site.unmapped)

    def redirect(self, cause: Cause, action: RedirectTo, used: frozenset[bytes] = frozenset()) -> Answer:
        """To a target, with or without captures in it."""
        status = self.status(action.status)
        keep = self.site.keep_query if action.keep_query is None else action.keep_query
        if (fixed := action.target.fixed) is not None:
            return FixedRedirect(cause, status, fixed, keep, used)
        return CapturingRedirect(cause, status, action.target, keep, used)

    def keep_path(self, cause: Cause) -> Answer:
        """To the site's new home, path and query kept."""
        site = self.site
        if site.moves_to is None:
            raise ValueError(f"{site.place}: a kept path needs moves_to")
        return KeptPath(cause, self.status(None), site.moves_to, site.keep_query, site.base)

    def forward(self, rule: Rule | None) -> Answer:
        """To the origin, with the notice in its phase."""
        cause = self.causes.of_forwarding(rule)
        if self.phase is not Phase.NOTICE:
            return Constant(Forward(cause, notice=False, successor=None))
        return ForwardWithNotice(cause, self.after, self.shows_notice)

    @cached_property
    def after(self) -> SiteTable | None:
        """The site as it will be at its cutover."""
        cutover = self.site.schedule.cutover
        return None if cutover is None else compile_site(self.site, cutover)

    @cached_property
    def shows_notice(self) -> NoticePaths:
        """Where the site shows its notice."""
        return _notice_paths(self.site)

    def status(self, named: int | None) -> int:
        """What a redirect is now: what the rule names, else temporary until the site's redirects are permanent."""
        if named is not None:
            return named
        return TEMPORARY if self.temporary else self.site.status

    # What is served here

    def serve(self, table: SiteTable) -> None:
        """Everything that Sunset serves itself in this phase."""
        self.serve_well_known(table)
        if self.phase is Phase.BEFORE:
            return
        site = self.site
        unknown = NotFound(self.causes.of_local("sunset"))
        table.served_below += ((self.folded(site.base + b"/.sunset/"), unknown),)
        if site.notice is not None and site.notice.pages:
            table.served[self.folded(notice_path(site))] = self.local(Resource.NOTICE)
        if site.notice is not None and site.notice.dismissible and self.phase is Phase.NOTICE:
            table.served[self.folded(site.base + b"/.sunset/dismiss")] = self.local(Resource.DISMISS)
        if self.phase is Phase.REDIRECT:
            if site.robots:
                table.served[b"/robots.txt"] = self.local(Resource.ROBOTS)
            if site.sitemap:
                table.served[self.folded(site.base + b"/sitemap.xml")] = self.local(Resource.SITEMAP)
                for part in range(1, sitemap_parts(table) + 1):
                    path = site.base + b"/sitemap-%d.xml" % part
                    table.served[self.folded(path)] = self.local(Resource.SITEMAP, b"%d" % part)

    def serve_well_known(self, table: SiteTable) -> None:
        """The files of `well_known`, and ACME challenges: the origin's own as long as it is forwarded to."""
        for name in self.site.well_known:
            table.served[self.folded(b"/.well-known/" + name)] = self.local(Resource.WELL_KNOWN, name)
        challenge: Decision = self.local(Resource.ACME_CHALLENGE)
        if self.phase.forwards:
            challenge = Forward(self.causes.of_forwarding(None), notice=False, successor=None)
        table.served_below += ((CHALLENGES, challenge),)

    def local(self, resource: Resource, name: bytes = b"") -> Local:
        """The decision to serve something here."""
        return Local(self.causes.of_local(resource.value), resource, name)

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
        table.depth = 1 + max((len(segments) for segments, _, _ in tree.patterns.values()), default=0)
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
            self.of_rule(rule),
            rule.order,
            conditions=rule.conditions,
            methods=rule.methods,
            slash=slash,
            captures=() if pattern is None else pattern.captures,
            tail_after=len(pattern.segments) if pattern is not None and pattern.tail else None,
        )


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
