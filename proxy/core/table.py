"""The rulebook compiled for one stretch of time, and the one decider.

`Table.decide` is what the server runs for every request, so whatever can be known before is prepared by `compile`: a
site's answers know their cause, status and the fixed part of the Location. What is left is to find the site (host by
hash, base by path prefix) and then the answer, by the ladder of `SiteTable.decide`:

    served here > plain HTTP to https > exact path or mapping > captures > regex > tail > unmapped

No input raises: what is malformed is a `BadRequest` (RFC 9110 section 15.5, RFC 9112 section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.core.decision import BadRequest, Local, Misdirected, NotFound, Resource
from proxy.core.index import Asked, Tree, first_match, query_captures
from proxy.core.pattern import TAIL
from proxy.core.target import HOST_CAPTURE
from proxy.core.url import (
    MAX_TARGET_BYTES,
    PLAIN_TARGET,
    SLASH,
    has_forbidden,
    normal_form,
    parse_host,
    rest_after,
    split_absolute,
    split_fragment,
    split_query,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from proxy.core.answer import Answer, Candidate, MappingAnswer
    from proxy.core.decision import Decision
    from proxy.core.index import Choices, RegexIndex
    from proxy.core.model import Site
    from proxy.core.schedule import Phase

MALFORMED_HOST: Final = BadRequest(400, "malformed host")
MALFORMED_TARGET: Final = BadRequest(400, "malformed request target")
TARGET_TOO_LONG: Final = BadRequest(414, "request target too long")
METHOD_NOT_ALLOWED: Final = BadRequest(405, "method not allowed")

_REFUSED_METHODS = frozenset({b"CONNECT", b"TRACE"})
_UNKNOWN_PATH = NotFound(None)
_OPTIONS = Local(None, Resource.OPTIONS, b"")
_NO_CAPTURES: Mapping[str, bytes] = {}


class SiteTable:
    """One site, compiled for one stretch of time. All fields are set by `compile`."""

    __slots__ = (
        "choices",
        "depth",
        "exact",
        "fold",
        "is_bare",
        "mappings",
        "otherwise",
        "patterns",
        "phase",
        "regexes",
        "searched",
        "served",
        "served_below",
        "site",
        "strict",
        "upgrade",
    )

    def __init__(self, site: Site, phase: Phase, otherwise: Answer) -> None:
        self.site = site
        self.phase = phase
        self.otherwise = otherwise
        """What is done where no rule matches."""
        self.fold = not site.match_case
        self.strict = site.match_slash
        self.served: dict[bytes, Decision] = {}
        """What Sunset serves itself, by path; each has a dot in it."""
        self.served_below: tuple[tuple[bytes, Decision], ...] = ()
        """The same for whole folders."""
        self.upgrade: Answer | None = None
        self.exact: dict[bytes, Answer] = {}
        """Exact paths with one rule that holds for every request."""
        self.choices: dict[bytes, Choices] = {}
        """Exact paths whose rules have conditions."""
        self.mappings: MappingAnswer | None = None
        self.patterns: Tree[Choices] = Tree()
        self.regexes: RegexIndex | None = None
        self.depth = 0
        """Into how many segments a path is taken apart: one more than any of `patterns` has, so that more are seen."""
        self.searched = False
        """Whether there is anything in `patterns` or `regexes`."""
        self.is_bare = True
        """Whether no rule and no mapping holds: what is not served here is answered alike."""

    def decide(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, stood: bytes, secure: bool
    ) -> Decision:
        """The ladder. `raw` is the path as received, `path` its normal form; `stood` what stood for a host's `*`."""
        captures = {HOST_CAPTURE: stood} if stood else _NO_CAPTURES
        # What is served here has a dot in its path. `find` takes half the time of `in`, which first looks for an int.
        if path.find(b".") >= 0 and (local := self._served(path)) is not None:
            return local
        if self.upgrade is not None and not secure:
            return self.upgrade.answer(host, raw, path, query, method, captures)
        if self.is_bare:
            return self.otherwise.answer(host, raw, path, query, method, captures)

        key = path.lower() if self.fold else path
        if not self.strict and key[-1:] == b"/":
            key = key[:-1]
        if (answer := self.exact.get(key)) is not None:
            return answer.answer(host, raw, path, query, method, captures)
        if self.choices and (choices := self.choices.get(key)) is not None:
            asked = Asked(query, method, slash=path[-1:] == b"/")
            if (chosen := choices.select(asked)) is not None:
                captures = {**captures, **query_captures(chosen, asked)}
                return chosen.answer.answer(host, raw, path, query, method, captures)
        if (mappings := self.mappings) is not None and (row := mappings.find(key)) is not None:
            return mappings.answer_row(row, query, method)

        if self.searched and (found := self._search(raw, path, key, query, method)) is not None:
            answer, more = found
            return answer.answer(host, raw, path, query, method, {**captures, **more})
        return self.otherwise.answer(host, raw, path, query, method, captures)

    def _served(self, path: bytes) -> Decision | None:
        compared = path.lower() if self.fold else path
        if (local := self.served.get(compared)) is not None:
            return local
        for folder, decision in self.served_below:
            if compared.startswith(folder):
                return decision
        return None

    def _search(
        self, raw: bytes, path: bytes, key: bytes, query: bytes | None, method: bytes
    ) -> tuple[Answer, dict[str, bytes]] | None:
        """Captures, then regexes, then tails; with the answer, what was captured."""
        segments = (key.removesuffix(b"/") if self.strict else key).split(b"/", self.depth)[1:]
        wholes, tails = self.patterns.matches(segments)
        possible = self.regexes.possible(path) if self.regexes is not None else []
        if not wholes and not tails and not possible:
            return None
        ends_in_slash = path[-1:] == b"/"
        asked = Asked(query, method, slash=ends_in_slash)
        for choices in wholes:
            if (chosen := choices.select(asked)) is not None:
                return chosen.answer, {**_captured(chosen, raw), **query_captures(chosen, asked)}
        if possible and (found := first_match(possible, path, asked)) is not None:
            chosen, groups = found
            return chosen.answer, {**groups, **query_captures(chosen, asked)}
        for choices, depth in tails:
            # Where a trailing slash makes a difference, a tail begins behind one.
            below = asked.under(inside=ends_in_slash or depth < len(segments))
            if (chosen := choices.select(below)) is not None:
                return chosen.answer, {**_captured(chosen, raw), **query_captures(chosen, below)}
        return None


def _captured(candidate: Candidate, raw: bytes) -> dict[str, bytes]:
    """The raw bytes of the segments that a pattern captures."""
    found: dict[str, bytes] = {}
    if candidate.captures:
        parts = raw.split(b"/", candidate.captures[-1][0] + 2)
        found = {name: parts[index + 1] for index, name in candidate.captures}
    if candidate.tail_after is not None:
        found[TAIL] = rest_after(raw, candidate.tail_after)[1:]
    return found


class HostTable:
    """The sites of one host name, or of all names below one, by base path.

    `suffix` is what follows the `*` of a wildcard (`b".po.co"`), empty for a name; `wider` the next wildcard that also
    covers the name, asked where no site here has a base for the path.
    """

    __slots__ = ("_bases", "_by_first", "_depth", "_folded", "_root", "sites", "suffix", "wider")

    def __init__(self, suffix: bytes, sites: Mapping[bytes, SiteTable], wider: HostTable | None) -> None:
        self.suffix = suffix
        self.wider = wider
        self.sites = sites
        """The sites by their bases."""
        self._root = sites.get(b"")
        self._bases = {base: table for base, table in sites.items() if base and not table.fold}
        self._folded = {base.lower(): table for base, table in sites.items() if base and table.fold}
        self._depth = max((base.count(b"/") for base in sites), default=0)
        self._by_first = self._depth == 1 and not self._folded
        """Whether the first segment, as it is, says which site a path belongs to."""

    def site_for(self, path: bytes) -> SiteTable | None:
        """The site with the longest base that `path` (normal form) is at or below."""
        if self._by_first:
            end = path.find(b"/", 1)
            return self._bases.get(path if end < 0 else path[:end]) or self._root
        if self._depth:
            end = 0
            for _ in range(self._depth):
                end = path.find(b"/", end + 1)
                if end < 0:
                    end = len(path)
                    break
            while end > 0:
                base = path[:end]
                table = self._bases.get(base) or (self._folded.get(base.lower()) if self._folded else None)
                if table is not None:
                    return table
                end = path.rfind(b"/", 0, end)
        return self._root


class Table:
    """The answer to every request in `[since, until)`; `None` is for ever on that side. Immutable."""

    __slots__ = ("_labels", "_names", "_wildcards", "since", "sites", "until")

    def __init__(
        self,
        names: Mapping[bytes, HostTable],
        wildcards: Mapping[bytes, HostTable],
        sites: tuple[SiteTable, ...],
        since: datetime | None,
        until: datetime | None,
    ) -> None:
        self._names = names
        self._wildcards = wildcards
        self._labels = max((suffix.count(b".") for suffix in wildcards), default=0)
        self.sites = sites
        self.since = since
        self.until = until

    def decide(self, host: bytes, raw_target: bytes, method: bytes = b"GET", secure: bool = True) -> Decision:
        """What is done with a request.

        `host` is the Host header's value, `raw_target` the request target as received (RFC 9112 section 3.2; an
        absolute one's authority goes before `host`), `secure` whether it came over TLS. Never raises.
        """
        if (
            raw_target.translate(PLAIN_TARGET) != raw_target
            or not raw_target
            or raw_target[0] != SLASH
            or len(raw_target) > MAX_TARGET_BYTES
            or method in _REFUSED_METHODS
        ):
            return self._decide_unusual(host, raw_target, method, secure)
        path, mark, after = raw_target.partition(b"?")
        return self.decide_parts(host, path, after if mark else None, method, secure)

    def decide_parts(self, host: bytes, raw: bytes, query: bytes | None, method: bytes, secure: bool) -> Decision:
        """What is done with a request whose target was taken apart already: path and query, both as received.

        The path begins with a slash, both are visible ASCII without number signs, and together no longer than a target
        may be; the method is none that is always refused.
        """
        path = normal_form(raw) if raw.find(b"%") >= 0 else raw
        hosts = self._names.get(host)
        if hosts is not None and (site := hosts.site_for(path)) is not None:
            return site.decide(host, raw, path, query, method, b"", secure)
        return self._decide(host, raw, path, query, method, secure)

    def _decide_unusual(self, host: bytes, raw_target: bytes, method: bytes, secure: bool) -> Decision:
        if method in _REFUSED_METHODS:
            return METHOD_NOT_ALLOWED
        if len(raw_target) > MAX_TARGET_BYTES:
            return TARGET_TOO_LONG
        if has_forbidden(raw_target):
            return MALFORMED_TARGET
        if raw_target == b"*" and method == b"OPTIONS":
            known = parse_host(host)
            if known is None:
                return MALFORMED_HOST
            return _OPTIONS if self._hosts(known) is not None else Misdirected(known)
        if (absolute := split_absolute(raw_target)) is not None:
            scheme, host, raw_target = absolute
            if scheme not in {b"http", b"https"}:
                return MALFORMED_TARGET
        if raw_target[:1] != b"/":
            return MALFORMED_TARGET
        raw, query = split_query(split_fragment(raw_target))
        return self._decide(host, raw, normal_form(raw), query, method, secure)

    def _decide(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, secure: bool
    ) -> Decision:
        hosts = self._names.get(host)
        if hosts is None:
            parsed = parse_host(host)
            if parsed is None:
                return MALFORMED_HOST
            host, hosts = parsed, self._hosts(parsed)
            if hosts is None:
                return Misdirected(host)
        site = hosts.site_for(path)
        while site is None:
            if hosts.wider is None:
                return _UNKNOWN_PATH
            hosts = hosts.wider
            site = hosts.site_for(path)
        stood = host[: -len(hosts.suffix)] if hosts.suffix else b""
        return site.decide(host, raw, path, query, method, stood, secure)

    def sites_of(self, host: bytes) -> tuple[SiteTable, ...]:
        """Every site that owns paths of a host (a Host header's value); empty for one that is malformed or unknown."""
        parsed = parse_host(host)
        hosts = self._hosts(parsed) if parsed is not None else None
        found: dict[bytes, SiteTable] = {}
        while hosts is not None:
            found = {**hosts.sites, **found}
            hosts = hosts.wider
        return tuple(found.values())

    def _hosts(self, host: bytes) -> HostTable | None:
        """The sites of a host: a name before a wildcard, a longer wildcard before a shorter."""
        hosts = self._names.get(host)
        if hosts is None:
            dot = len(host)
            for _ in range(self._labels):
                dot = host.rfind(b".", 0, dot)
                if dot < 0:
                    break
                hosts = self._wildcards.get(host[dot:], hosts)
        return hosts
