"""The report of an audit: every old address with what becomes of it, counted by site and by kind, and the findings.

Strategy: one pass asks, one counts, and what a row says is worked out again when it is written: for a million
addresses nothing is kept but the address and the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy.audit.coverage import Row, Surveyor, place_of
from proxy.audit.findings import MANY, Crowd, Finding, crowds_of, findings_of, gather
from proxy.audit.old_address import OldAddress, Skipped
from proxy.core.decision import BadRequest, Redirect, cause_of, outcome_of
from proxy.core.table import Table
from proxy.wire.answer import status_of

COLUMNS: Final = (
    "url",
    "clicks",
    "covered",
    "standing",
    "outcome",
    "status",
    "target",
    "kind",
    "site",
    "phase",
    "rule",
    "place",
    "findings",
    "ends_at",
    "error",
    "source",
)
"""What is told of every address, under the names that CSV and JSON use."""

MAX_SKIPPED: Final = 1000

Cell = str | int | bool | None


class Tally(NamedTuple):
    """Addresses and their clicks, and how many of each are covered."""

    addresses: int
    covered: int
    clicks: int
    covered_clicks: int

    @property
    def coverage(self) -> float:
        """Covered addresses in per cent, 0 to 100. Nothing is covered where there is nothing."""
        return 100 * self.covered / self.addresses if self.addresses else 0.0

    @property
    def coverage_by_clicks(self) -> float | None:
        """The clicks of covered addresses in per cent, 0 to 100; None where no clicks are known."""
        return 100 * self.covered_clicks / self.clicks if self.clicks else None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What an audit found.

    `rows` has every address once, in the order in which they were read. The tallies by site, kind and standing each add
    up to `total`; None stands for addresses that no site answers. `at` is the asked instant in words; `many` from how
    many old pages on a shared target is a finding.
    """

    rows: Sequence[Row]
    total: Tally
    by_site: Mapping[str | None, Tally]
    by_kind: Mapping[str | None, Tally]
    by_standing: Mapping[str | None, Tally]
    findings: tuple[Finding, ...]
    crowds: Mapping[bytes, Crowd]
    skipped: tuple[Skipped, ...]
    many: int
    at: str

    @property
    def coverage(self) -> float:
        """Covered addresses in per cent, 0 to 100 (see `coverage.is_covered`)."""
        return self.total.coverage

    def cells(self, row: Row) -> tuple[Cell, ...]:
        """What is told of a row, in the order of `COLUMNS`."""
        address, decision, further, standing = row
        cause = cause_of(decision)
        end = row.end if further else None
        return (
            address.text,
            address.clicks,
            row.covered,
            standing,
            outcome_of(decision),
            status_of(decision),
            decision.location.decode("latin-1") if type(decision) is Redirect else None,
            *((None, None, None, None) if cause is None else (cause.kind, cause.site.name, cause.phase, cause.rule)),
            None if cause is None else str(place_of(decision)),
            " ".join(findings_of(row, self.crowds)),
            None if end is None else end.decode("latin-1"),
            decision.reason if type(decision) is BadRequest else None,
            f"{address.file}:{address.line}",
        )


def audit(table: Table, addresses: Iterable[OldAddress | Skipped], *, many: int = MANY, at: str = "") -> Report:
    """Asks `table` about every address, each once: the clicks of one that comes again are added.

    A fragment is no part of an address here, as it is never sent. `many` and `at` are as in `Report`.
    """
    surveyor = Surveyor(table)
    rows: dict[str, Row] = {}
    skipped: list[Skipped] = []
    for found in addresses:
        if isinstance(found, Skipped):
            if len(skipped) < MAX_SKIPPED:
                skipped.append(found)
            continue
        text = found.text
        if "#" in text:
            text = text.partition("#")[0]
            found = found._replace(text=text)  # noqa: PLW2901 - the same address, as it is sent
        row = rows.get(text)
        if row is None:
            rows[text] = surveyor.row(found)
        elif found.clicks:
            rows[text] = row._replace(address=row.address._replace(clicks=row.address.clicks + found.clicks))
    return _report(list(rows.values()), tuple(skipped), many, at)


def _report(rows: list[Row], skipped: tuple[Skipped, ...], many: int, at: str) -> Report:
    crowds = crowds_of(rows, many)
    cube: dict[tuple[str | None, ...], list[int]] = {}
    for row in rows:
        cause = cause_of(row.decision)
        key: tuple[str | None, ...] = (
            (None, None, row.standing) if cause is None else (cause.site.name, cause.kind, row.standing)
        )
        if (sums := cube.get(key)) is None:
            sums = cube[key] = [0, 0, 0, 0]
        clicks = row.address.clicks
        sums[0] += 1
        sums[2] += clicks
        if row.covered:
            sums[1] += 1
            sums[3] += clicks
    return Report(
        rows,
        _added_up(cube.values()),
        _by(0, cube),
        _by(1, cube),
        _by(2, cube),
        gather(rows, crowds, many),
        crowds,
        skipped,
        many,
        at,
    )


def _by(axis: int, cube: Mapping[tuple[str | None, ...], list[int]]) -> dict[str | None, Tally]:
    """The tallies along one of the axes, the largest first."""
    parts: dict[str | None, list[list[int]]] = {}
    for key, sums in cube.items():
        parts.setdefault(key[axis], []).append(sums)
    tallies = {name: _added_up(sums) for name, sums in parts.items()}
    return dict(sorted(tallies.items(), key=lambda item: (-item[1].addresses, item[0] or "")))


def _added_up(sums: Iterable[Sequence[int]]) -> Tally:
    return Tally(*map(sum, zip((0, 0, 0, 0), *sums, strict=True)))
