"""The figures of a run as lines: what was asked, and what each server made of it. Documents and the plot show these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.results import Measured, Results, Row

SERVERS: Final = ("Sunset", "nginx", "HAProxy", "Caddy", "aiohttp")
"""In the order of columns. The low-level server and the floor are in the whole tables only."""
UNITS: Final = {10: "ten", 100: "a hundred", 1_000: "a thousand", 100_000: "100,000", 1_000_000: "a million"}

HEADINGS: Final = ("CPU µs", "±", "of nginx", "kernel", "worker", "p50 ms", "p99 ms", "MiB", "start s")
"""CPU time for a request: of all processes, that in the kernel, that of the busiest process; and when it answers."""


def cells(row: Row, scenario: Measured) -> Iterator[str]:
    """All that there is to say of a candidate, by heading."""
    furthest = max(abs(each.microseconds / row.microseconds - 1) for each in row.rounds)
    reference = scenario.reference(row)
    yield f"{row.microseconds:.1f}"
    yield f"{furthest:.0%}"
    yield "" if reference is None else f"{row.of(reference):.2f}"
    yield f"{row.system_microseconds:.1f}"
    yield f"{row.worker_microseconds:.1f}" if row.processes > 1 else ""
    yield f"{row.p50_ms:.2f}"
    yield f"{row.p99_ms:.2f}"
    yield f"{row.memory_kib / 1024:.0f}"
    yield f"{row.loading_seconds:.2f}"


def starred(row: Row) -> str:
    """Its name, with a star where there is a note."""
    return row.name + ("*" if row.note else "")


@dataclass(frozen=True, slots=True)
class Line:
    """A scenario, or one size of it."""

    scenario: Measured
    size: int | None

    @property
    def title(self) -> str:
        """What was asked."""
        if self.size is None:
            return self.scenario.title
        return f"{UNITS.get(self.size, f'{self.size:,}').capitalize()} {self.scenario.title.lower()}"

    def row(self, server: str) -> Row | None:
        """What a server made of it."""
        found = (row for row in self.scenario.rows if (row.server, row.size) == (server, self.size))
        return next(found, None)

    def ratio(self, row: Row) -> float | None:
        """Requests in a CPU second, where nginx has 1."""
        reference = self.scenario.reference(row)
        return None if reference is None else row.of(reference)


def lines(results: Results) -> Iterator[Line]:
    """All of them; those of a scenario with sizes in the order of size."""
    for scenario in results.scenarios:
        for size in sorted({row.size for row in scenario.rows}, key=lambda size: size or 0):
            yield Line(scenario, size)
