"""What a server has done, as plain numbers.

Every answer adds one to a `Tally`, an object with an int in it that whoever prepares an answer looks up beforehand. All
that has names (sites, rules, outcomes) is put together when somebody reads. Labels come from rule files alone: whatever
a client sends, however often, adds no series. Every rule has its series from the start, so that one that is never hit
can be seen.

A process that answers hands on what it has counted: `take` gives rows, and another process's `add` takes them in. Hits
by single address are handed on likewise; strangers choose those addresses, so there are never more than a bounded
number of them between two takes, and what is above it is only counted.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from proxy.core.decision import Cause, Outcome
from proxy.core.kind import WRITTEN, Kind
from proxy.core.mapping import MAPPINGS
from proxy.edge.outline import Outline
from proxy.edge.visited import Address, Visited

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.core.rulebook import Rulebook

OTHER = "other"
"""The `site` of requests that belong to none."""

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds: a redirect takes well below a millisecond, an origin may take many."""

ADDRESSES = 1024
"""Different addresses that are told apart between two takes; hits on others are counted together."""
LONGEST_ADDRESS = 1024
"""Bytes of a path that is told apart from others."""

_ADDRESSES = "addresses"
_OTHER_ADDRESSES = "other addresses"
_UNMAPPED = frozenset({Kind.KEEP_PATH, Kind.FALLBACK})

Label = str | int
Row = tuple[str, tuple[Label, ...], float]
"""A family of counters, the labels of one of them, and by how much it has grown."""


class Subject(NamedTuple):
    """What is counted together: requests that one rule (`""`: none) of a site answered alike."""

    site: str
    outcome: Outcome
    status: int
    rule: str
    unmapped: bool


class Tally:
    """How many requests had one subject: add to `count`."""

    __slots__ = ("addresses", "count", "seen", "settled", "subject")

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.count = 0
        self.settled = 0
        """How much of `count` is in the families already."""
        self.addresses: dict[bytes, int] = {}
        """Hits by path, since they were last taken; of those paths that are told apart."""
        self.seen = 0
        """What `count` was then."""


class Counts:
    """What a server has done since it was started. All families are dicts from labels to numbers."""

    def __init__(self, rulebook: Rulebook | None = None) -> None:
        self._tallies: dict[Subject, Tally] = {}
        self._requests: dict[tuple[str, Outcome, int], int] = {}
        self._hits: dict[tuple[str, str], int] = {}
        self._unmapped: dict[str, int] = {}
        self.upstream_errors: dict[tuple[str, str], int] = {}
        """By site and reason."""
        self.notices: dict[tuple[str, str], int] = {}
        """By site and what became of the notice."""
        self.refused: dict[str, int] = {}
        """Connections that were closed unheard, by reason."""
        self.lines_lost: dict[str, int] = {}
        """Lines of the access log that were not written, by reason."""
        self.durations = {(outcome, bucket): 0 for outcome in Outcome for bucket in range(len(BUCKETS) + 1)}
        """By outcome and bucket: how many answers fell between one bound and the next."""
        self.seconds = dict.fromkeys(Outcome, 0.0)
        """By outcome: the sum of all durations."""
        self.addresses_left = ADDRESSES
        """How many more addresses are told apart until the next `take_addresses`."""
        self.addresses_lost = 0
        """Hits on addresses that were not told apart, as of the last `take_addresses`."""
        self._visited = Visited()
        self._taken: dict[tuple[str, object], float] = {}
        if rulebook is not None:
            self.expect(Outline.of(rulebook))

    def expect(self, outline: Outline) -> None:
        """Begin the series of every site and rule with 0."""
        for site in outline.sites:
            if site.pass_through:
                continue
            self._unmapped.setdefault(site.name, 0)
            for rule in site.hits:
                self._hits.setdefault((site.name, rule), 0)

    # Counting

    def tally(self, cause: Cause | None, outcome: Outcome, status: int) -> Tally:
        """Where answers with that cause, outcome and status are counted: one object for each subject."""
        if cause is None:
            subject = Subject(OTHER, outcome, status, "", unmapped=False)
        else:
            rule = ""
            if cause.kind in WRITTEN:
                rule = MAPPINGS if cause.kind is Kind.MAPPING else cause.rule
            subject = Subject(cause.site.name, outcome, status, rule, cause.kind in _UNMAPPED)
        if (tally := self._tallies.get(subject)) is None:
            tally = self._tallies[subject] = Tally(subject)
        return tally

    def hit(self, tally: Tally, path: bytes) -> None:
        """One request for `path` was answered. The front door has these lines itself, and saves the call."""
        tally.count += 1
        if path in tally.addresses:
            tally.addresses[path] += 1
        elif self.addresses_left:
            self.tell_apart(tally, path)

    def tell_apart(self, tally: Tally, path: bytes) -> None:
        """There is room for an address that was not asked for yet. Where no site owns it, it is none."""
        if len(path) <= LONGEST_ADDRESS and tally.subject.site is not OTHER:
            self.addresses_left -= 1
            tally.addresses[path] = 1

    def lasted(self, outcome: Outcome, seconds: float, times: int = 1) -> None:
        """An answer took `seconds`, and stands for so many."""
        self.durations[outcome, bisect_left(BUCKETS, seconds)] += times
        self.seconds[outcome] += seconds * times

    def upstream_failed(self, site: str, reason: str) -> None:
        """An origin did not do its part."""
        key = (site, reason)
        self.upstream_errors[key] = self.upstream_errors.get(key, 0) + 1

    def noticed(self, site: str, outcome: str) -> None:
        """An answer of the phase `notice` took the notice, or did not."""
        key = (site, outcome)
        self.notices[key] = self.notices.get(key, 0) + 1

    def refuse(self, reason: str) -> None:
        """A connection was closed unheard."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def lose_lines(self, reason: str, lines: int) -> None:
        """So many requests have no line in the access log."""
        self.lines_lost[reason] = self.lines_lost.get(reason, 0) + lines

    # Reading

    @property
    def requests(self) -> dict[tuple[str, Outcome, int], int]:
        """By site, outcome and status."""
        self._settle()
        return self._requests

    @property
    def hits(self) -> dict[tuple[str, str], int]:
        """By site and rule."""
        self._settle()
        return self._hits

    @property
    def unmapped(self) -> dict[str, int]:
        """Requests after the cutover that no rule matched, by site."""
        self._settle()
        return self._unmapped

    @property
    def visited(self) -> Visited:
        """The addresses that were asked for most, here and where `add` was given rows from."""
        for address, hits in self.take_addresses():
            self._visited.add(address, hits)
        self._visited.others += self.addresses_lost
        self.addresses_lost = 0
        return self._visited

    def take(self) -> list[Row]:
        """What has been counted since this was last asked."""
        rows: list[Row] = []
        for name, family in self._families().items():
            for key, count in family.items():
                grown = count - self._taken.get((name, key), 0)
                if grown:
                    self._taken[name, key] = count
                    rows.append((name, key if isinstance(key, tuple) else (key,), grown))
        rows += [(_ADDRESSES, tuple(address), hits) for address, hits in self.take_addresses()]
        if self.addresses_lost:
            rows.append((_OTHER_ADDRESSES, (), self.addresses_lost))
            self.addresses_lost = 0
        return rows

    def add(self, rows: Iterable[Row]) -> None:
        """Count what another process has taken from its own counts."""
        families = self._families()
        for name, labels, grown in rows:
            if name == _ADDRESSES:
                self._visited.add(Address(*labels), int(grown))  # type: ignore[arg-type]  # as `take` has made them
                continue
            if name == _OTHER_ADDRESSES:
                self._visited.others += int(grown)
                continue
            family = families[name]
            key = labels[0] if len(labels) == 1 else tuple(labels)
            family[key] = family.get(key, 0) + grown

    def take_addresses(self) -> list[tuple[Address, int]]:
        """The hits by single address since this was last asked."""
        taken: list[tuple[Address, int]] = []
        for tally in self._tallies.values():
            grown, tally.seen = tally.count - tally.seen, tally.count
            site, outcome, status, rule, _ = tally.subject
            if not grown or site is OTHER:
                continue
            self.addresses_lost += grown - sum(tally.addresses.values())
            taken += [
                (Address(site, outcome, status, rule, path.decode("latin-1")), hits)
                for path, hits in tally.addresses.items()
            ]
            tally.addresses = {}
        self.addresses_left = ADDRESSES
        return taken

    def _families(self) -> dict[str, dict[object, float]]:
        families: dict[str, object] = {
            "requests": self.requests,
            "hits": self._hits,
            "unmapped": self._unmapped,
            "upstream_errors": self.upstream_errors,
            "notices": self.notices,
            "refused": self.refused,
            "lines_lost": self.lines_lost,
            "durations": self.durations,
            "seconds": self.seconds,
        }
        return families  # type: ignore[return-value]  # each has labels of its own, and here none is looked at

    def _settle(self) -> None:
        """Bring what the tallies have counted into the families."""
        for tally in self._tallies.values():
            grown = tally.count - tally.settled
            if not grown:
                continue
            tally.settled = tally.count
            site, outcome, status, rule, unmapped = tally.subject
            self._requests[site, outcome, status] = self._requests.get((site, outcome, status), 0) + grown
            if rule:
                self._hits[site, rule] = self._hits.get((site, rule), 0) + grown
            elif unmapped:
                self._unmapped[site] = self._unmapped.get(site, 0) + grown
