"""Findings: what somebody should look at before the cutover, each with its count and the examples that matter most.

Strategy: all but one are read off a row alone. Many-to-one needs all rows: targets are counted first, and only for
those with enough addresses the different pages among these are told apart. A page that was listed under http and https,
with and without `www.` or a trailing slash, is one page.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import nlargest
from typing import Final, NamedTuple

from proxy.audit.coverage import Row, Standing
from proxy.core.decision import BadRequest, Redirect

MANY: Final = 3
"""From how many old pages on a shared target is a finding, unless asked otherwise."""
EXAMPLES: Final = 10


class FindingKind(StrEnum):
    """What can be found, the worst first."""

    LOOP = "loop"
    DEAD_END = "dead-end"
    MISDIRECTED = "misdirected"
    BAD_REQUEST = "bad-request"
    NOT_YET = "not-yet"
    UNMAPPED = "unmapped"
    CHAIN = "chain"
    MANY_TO_ONE = "many-to-one"


MEANINGS: Final[Mapping[FindingKind, str]] = {
    FindingKind.LOOP: "redirects in a circle: correct the rules named",
    FindingKind.DEAD_END: "redirected to an address of a retired site that is gone or not found: name a live target",
    FindingKind.MISDIRECTED: "on a host of no site: add the host to a site, or leave the address out",
    FindingKind.BAD_REQUEST: "malformed: no browser can ask for it",
    FindingKind.NOT_YET: "still forwarded at this instant: audit an instant after the cutover",
    FindingKind.UNMAPPED: "no rule names it; a kept path is covered if the new site has that page, the rest is not",
    FindingKind.CHAIN: "the target redirects again: name the last target at once",
    FindingKind.MANY_TO_ONE: "{many} or more old pages share a target: a page of its own keeps its rank",
}

_BY_STANDING: Mapping[Standing, tuple[FindingKind, ...]] = {
    Standing.KEPT_PATH: (FindingKind.UNMAPPED,),
    Standing.FALLBACK: (FindingKind.UNMAPPED,),
    Standing.LOST: (FindingKind.UNMAPPED,),
    Standing.DEAD_END: (FindingKind.DEAD_END,),
    Standing.LOOP: (FindingKind.LOOP,),
    Standing.NOT_YET: (FindingKind.NOT_YET,),
    Standing.MISDIRECTED: (FindingKind.MISDIRECTED,),
    Standing.MALFORMED: (FindingKind.BAD_REQUEST,),
}


class Crowd(NamedTuple):
    """A target that several old pages share."""

    target: bytes
    pages: int
    addresses: int
    clicks: int


class Example(NamedTuple):
    """One address of a finding (for many-to-one: one target with all its addresses), and what is worth saying of it."""

    subject: str
    addresses: int
    clicks: int
    note: str


@dataclass(frozen=True, slots=True)
class Finding:
    """All addresses of which the same is found, with the examples that have most clicks.

    `meaning` says what it is, and what to do.
    """

    kind: FindingKind
    meaning: str
    addresses: int
    clicks: int
    examples: tuple[Example, ...]


def findings_of(row: Row, crowds: Mapping[bytes, Crowd]) -> tuple[FindingKind, ...]:
    """What is found of one address."""
    found = _BY_STANDING.get(row.standing, ())
    if row.further and row.standing is not Standing.LOOP and row.hops > 1:
        found += (FindingKind.CHAIN,)
    if crowds and (end := row.end) is not None and end in crowds:
        found += (FindingKind.MANY_TO_ONE,)
    return found


def crowds_of(rows: Collection[Row], many: int) -> dict[bytes, Crowd]:
    """The targets that at least `many` different old pages lead to."""
    counts = Counter(end for row in rows if (end := row.end) is not None)
    crowded = {target for target, count in counts.items() if count >= many}
    if not crowded:
        return {}
    pages: defaultdict[bytes, set[str]] = defaultdict(set)
    clicks: Counter[bytes] = Counter()
    for row in rows:
        end = row.end
        if end is not None and end in crowded:
            pages[end].add(_page(row.address.text))
            clicks[end] += row.address.clicks
    return {
        target: Crowd(target, len(different), counts[target], clicks[target])
        for target, different in pages.items()
        if len(different) >= many
    }


def gather(rows: Iterable[Row], crowds: Mapping[bytes, Crowd], many: int) -> tuple[Finding, ...]:
    """All findings, in the order of their kinds."""
    found: defaultdict[FindingKind, list[Row]] = defaultdict(list)
    for row in rows:
        for kind in findings_of(row, crowds):
            found[kind].append(row)
    return tuple(
        Finding(
            kind,
            MEANINGS[kind].format(many=many),
            len(found[kind]),
            sum(row.address.clicks for row in found[kind]),
            _largest(crowds) if kind is FindingKind.MANY_TO_ONE else tuple(_examples(found[kind])),
        )
        for kind in FindingKind
        if kind in found
    )


def _largest(crowds: Mapping[bytes, Crowd]) -> tuple[Example, ...]:
    crowded = nlargest(EXAMPLES, crowds.values(), key=lambda crowd: (crowd.clicks, crowd.pages))
    return tuple(
        Example(crowd.target.decode("latin-1"), crowd.addresses, crowd.clicks, f"{crowd.pages:,} old pages")
        for crowd in crowded
    )


def _examples(rows: list[Row]) -> Iterable[Example]:
    for row in nlargest(EXAMPLES, rows, key=lambda row: (not row.covered, row.address.clicks)):
        yield Example(row.address.text, 1, row.address.clicks, _note(row))


def _note(row: Row) -> str:
    if isinstance(row.decision, BadRequest):
        return row.decision.reason
    targets = [step.location.decode("latin-1") for step in (row.decision, *row.further) if isinstance(step, Redirect)]
    return " ".join([row.standing.value, *(f"→ {target}" for target in targets)])


def _page(text: str) -> str:
    """An old address without what makes no other page of it: scheme, host, a trailing slash."""
    path, question, query = text.rpartition("://")[2].partition("?")
    return path.partition("/")[2].removesuffix("/") + question + query
