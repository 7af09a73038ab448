"""Redirects that lead to an address of this same rulebook: followed until they end, or are found to go in a circle.

Most lead to hosts of other people, and are not followed at all. Of the rest a representative Location is made (captures
are filled from the rule's example, else with a plain word) and the decider is asked about it again and again, once in
every stretch of time in which the redirect holds and something may differ.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proxy.core.decision import Redirect
from proxy.core.model import KeepPath, RedirectTo
from proxy.core.pattern import RegexPattern
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Phase, Window
from proxy.core.target import HOST_CAPTURE
from proxy.core.url import normal_form, split_absolute, split_fragment, split_query
from proxy.errors import Place
from proxy.rulebook.address import AddressError
from proxy.rulebook.codes import problem
from proxy.rulebook.proof import example_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.core.mapping import MappingTable
    from proxy.core.model import Rule, Site
    from proxy.core.target import Target
    from proxy.errors import Problem
    from proxy.rulebook.document import Loc
    from proxy.rulebook.excerpt import Excerpts
    from proxy.rulebook.site import Built

MAX_HOPS = 16
MAX_CHAINED_ROWS = 100
"""After so many rows of one mapping that begin a chain only their number is told."""

_WORD = b"sunset-1"
"""What stands for a capture: a segment and a host label that no rule is likely to name."""

_ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
_BEFORE = timedelta(days=1)


def find_loops(built: Sequence[Built], excerpts: Excerpts) -> Iterator[Problem]:
    """Every circle once, and every redirect that begins a chain."""
    walker = _Walker(built, excerpts)
    for one in built:
        yield from walker.problems_of(one)


@dataclass(frozen=True, slots=True)
class _Source:
    """A redirect as it is written: an example of its Location, where its target stands, and when it holds."""

    location: bytes
    loc: Loc
    window: Window


@dataclass(slots=True)
class _Walker:
    built: Sequence[Built]
    excerpts: Excerpts
    told: set[object] = field(default_factory=set)
    """Circles and beginnings of chains that were reported already."""

    def problems_of(self, one: Built) -> Iterator[Problem]:
        """What is wrong with the redirects of a site."""
        hosts = [host for host in _target_hosts(one) if self.excerpts.sites_of(host)]
        if not hosts:
            return
        instants = self.instants(one.site)
        for source in _sources(one):
            if self.is_ours(source.location):
                for instant in instants:
                    if instant in source.window and one.site.schedule.phase_at(instant) is not Phase.GONE:
                        yield from self.follow(one, source, instant)
        mappings = one.site.mappings
        if mappings is not None and any(self.excerpts.sites_of(host.encode()) for host in one.mapped_hosts):
            for instant in instants:
                if one.site.schedule.phase_at(instant) is Phase.REDIRECT:
                    yield from self.follow_rows(mappings, instant)

    def follow(self, one: Built, source: _Source, instant: datetime) -> Iterator[Problem]:
        """A rule, or the kept path."""
        hops, again = self.walk(source.location, instant)
        if again is not None:
            yield from self.circle(hops, again, one.own.document.place(source.loc))
        elif hops and (one.site.name, source.loc) not in self.told:
            self.told.add((one.site.name, source.loc))
            yield one.own.problem("chain", _chain(source.location, hops), *source.loc)

    def follow_rows(self, mappings: MappingTable, instant: datetime) -> Iterator[Problem]:
        """The rows of the mappings, each Location once."""
        chained: Counter[str] = Counter()
        seen: set[bytes] = set()
        for row in mappings:
            location = row.location
            if location in seen or not self.is_ours(location):
                continue
            seen.add(location)
            hops, again = self.walk(location, instant)
            place = mappings.place(row.at)
            if again is not None:
                yield from self.circle(hops, again, place)
            elif hops and place not in self.told:
                self.told.add(place)
                chained[place.file] += 1
                if chained[place.file] <= MAX_CHAINED_ROWS:
                    yield problem(place, "chain", _chain(location, hops))
        for file, count in chained.items():
            if count > MAX_CHAINED_ROWS:
                message = f"{count - MAX_CHAINED_ROWS} more rows lead to addresses that redirect again"
                yield problem(Place(file), "chain", message)

    def walk(self, location: bytes, instant: datetime) -> tuple[list[tuple[bytes, Redirect]], int | None]:
        """The redirects that follow a Location, each with the address that was asked.

        With it the index of the one that closes a circle; the length of the list where there is no end in sight.
        """
        hops: list[tuple[bytes, Redirect]] = []
        seen: dict[bytes, int] = {}
        for _ in range(MAX_HOPS):
            if location in seen:
                return hops, seen[location]
            decision = self.ask(location, instant)
            if not isinstance(decision, Redirect):
                return hops, None
            seen[location] = len(hops)
            hops.append((location, decision))
            location = split_fragment(decision.location)
        return hops, len(hops)

    def ask(self, location: bytes, instant: datetime) -> object:
        """The decision about an address."""
        parts = split_absolute(location)
        if parts is None:
            return None
        scheme, authority, rest = parts
        if not self.excerpts.sites_of(authority):
            return None
        return self.excerpts.ask(instant, authority, split_fragment(rest), secure=scheme == b"https")

    def is_ours(self, location: bytes) -> bool:
        """Whether the host of a Location is one of this rulebook."""
        return bool(self.excerpts.sites_of(location.split(b"/", 3)[2]))

    def circle(self, hops: list[tuple[bytes, Redirect]], start: int, place: Place) -> Iterator[Problem]:
        """A circle, once, at the first of its places."""
        round_ = hops[start:] or hops
        places = sorted({hop.place for _, hop in round_})
        key = frozenset(places)
        if key in self.told:
            return
        self.told.add(key)
        steps = [f"{address.decode('ascii', 'replace')} ({hop.place})" for address, hop in round_]
        if start < len(hops):
            message = f"redirects go in a circle: {' -> '.join([*steps, round_[0][0].decode('ascii', 'replace')])}"
            place = places[0]
        else:
            message = f"after {len(hops)} redirects there is no end: {' -> '.join(steps[:4])} -> …"
        yield self.problem_at(place, message)

    def problem_at(self, place: Place, message: str) -> Problem:
        """The problem of a circle, with the line of the file if it is a rule file."""
        for one in self.built:
            if one.own.document.file == place.file:
                return one.own.document.problem_at("loop", message, place)
        return problem(place, "loop", message)

    def instants(self, site: Site) -> list[datetime]:
        """One instant of each stretch of time in which the redirects that begin at a site stay the same."""
        by_name = {one.site.name: one for one in self.built}
        reached: dict[str, Site] = {site.name: site}
        queue = [site.name]
        while queue:
            for host in _target_hosts(by_name[queue.pop()]):
                for other in self.excerpts.sites_of(host):
                    if other.name not in reached:
                        reached[other.name] = other
                        queue.append(other.name)
        edges = Rulebook(reached.values()).edges
        return [edges[0] - _BEFORE, *edges] if edges else [_ANY_INSTANT]


def _target_hosts(one: Built) -> set[bytes]:
    """The hosts that redirects of a site lead to."""
    hosts = set(one.mapped_hosts)
    site = one.site
    if site.moves_to is not None:
        hosts.add(site.moves_to.host)
    hosts.update(action.target.host for action in _actions(site) if isinstance(action, RedirectTo))
    return {host.encode().replace(b"{%b}" % HOST_CAPTURE.encode(), _WORD) for host in hosts}


def _actions(site: Site) -> Iterator[object]:
    yield site.unmapped
    for rule in site.rules:
        yield rule.action


def _sources(one: Built) -> Iterator[_Source]:
    site = one.site
    after = site.schedule.after_cutover
    if site.moves_to is not None and isinstance(site.unmapped, KeepPath):
        base = site.moves_to.base({HOST_CAPTURE: _WORD})
        for rest in (b"/", b"/" + _WORD):
            yield _Source(base + rest, ("moves_to",), after)
    if isinstance(site.unmapped, RedirectTo):
        yield _Source(_rendered(site.unmapped.target, {}), ("unmapped",), after)
    for rule in site.rules:
        if isinstance(rule.action, RedirectTo) and not rule.mapped:
            location = _rendered(rule.action.target, _captures(rule, one))
            yield _Source(location, ("rules", rule.order, "to"), rule.window)


def _captures(rule: Rule, one: Built) -> dict[str, bytes]:
    """What a rule's captures could be."""
    pattern = rule.pattern
    example = one.own.form.rules[rule.order].example
    if isinstance(pattern, RegexPattern) and example is not None:
        try:
            path = split_query(example_address(example, one.site).raw_target)[0]
        except AddressError:
            return {}
        if (match := pattern.regex.fullmatch(normal_form(path))) is not None:
            return pattern.captures_of(match)
    return {}


def _rendered(target: Target, captures: dict[str, bytes]) -> bytes:
    filled = dict.fromkeys(target.names, _WORD) | captures
    return split_fragment(target.render(filled, None))


def _chain(location: bytes, hops: list[tuple[bytes, Redirect]]) -> str:
    first = hops[0][1]
    end = hops[-1][1].location.decode("ascii", "replace")
    return f"{location.decode('ascii', 'replace')} redirects again, to {end} ({first.place})"
