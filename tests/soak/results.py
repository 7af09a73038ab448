"""The figures of a run, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

import orjson

from tests.soak.faults import EVERY
from tests.soak.samples import Sample

TOLERANCE: Final = 0.25
"""How much larger the last quarter's median may be than the second's: that much depends on who happens to be connected,
and the first quarter is there for everything to become warm."""


@dataclass(frozen=True)
class Quarters:
    """Medians of the second quarter of a run, and of the last."""

    second: float
    last: float

    @classmethod
    def of(cls, values: list[float]) -> Quarters:
        size = len(values) // 4
        return cls(median(values[size : 2 * size]), median(values[-size:]))

    @property
    def is_flat(self) -> bool:
        return self.last <= self.second * (1 + TOLERANCE)

    def __str__(self) -> str:
        return f"{self.second:.0f}, {self.last:.0f}"


@dataclass(frozen=True)
class Results:
    """What a run has shown."""

    machine: str
    day: str
    seconds: float
    good: dict[str, int]
    retried: dict[str, int]
    nuisances: dict[str, int]
    failed: int
    failures: list[str]
    milliseconds: dict[str, float]
    events: list[tuple[float, str]]
    samples: list[Sample]
    certificates: tuple[int, int]
    """Issued, and seen by clients."""
    tracebacks: int
    exit_code: int

    @property
    def memory(self) -> Quarters:
        """In MiB."""
        return Quarters.of([sample.memory for sample in self.samples])

    @property
    def descriptors(self) -> Quarters:
        return Quarters.of([sample.descriptors for sample in self.samples])

    def happened(self, event: str) -> int:
        """How often."""
        return sum(what == event for _, what in self.events)

    def complaints(self) -> list[str]:
        """What is wrong, one by one."""
        return list(self._complaints())

    def _complaints(self) -> Iterator[str]:
        yield from self.failures
        if self.failed > len(self.failures):
            yield f"{self.failed - len(self.failures)} failures more"
        for what, quarters in (("memory", self.memory), ("descriptors", self.descriptors)):
            if not quarters.is_flat:
                yield f"{what}: medians of the second and of the last quarter are {quarters}"
        if self.tracebacks:
            yield f"{self.tracebacks} tracebacks in the log"
        if self.exit_code:
            yield f"the server ended with {self.exit_code}"
        issued, seen = self.certificates
        if seen < issued - 1:  # the last one may be too new
            yield f"{issued} certificates were issued, and clients have seen {seen}"

    def summary(self) -> str:
        """For people."""
        events = ", ".join(f"{self.happened(event)} times {event}" for event in EVERY)
        lines = [
            f"{self.seconds:.0f} s: {events}",
            f"good requests answered rightly: {sum(self.good.values()):,}; failed: {self.failed}",
            f"  asked again after a kill: {sum(self.retried.values())}",
            "  " + ", ".join(f"{name} {number:,}" for name, number in self.good.items()),
            "  " + ", ".join(f"{name} {value:.0f} ms" for name, value in self.milliseconds.items()),
            "nuisances: " + ", ".join(f"{name} {number:,}" for name, number in self.nuisances.items()),
            f"certificates issued and seen: {self.certificates[0]}, {self.certificates[1]}",
            f"memory, MiB, medians of the second and of the last quarter: {self.memory}",
            f"descriptors, likewise: {self.descriptors}",
        ]
        return "\n".join(lines)

    def json(self) -> str:
        """For programs."""
        return orjson.dumps(self, option=orjson.OPT_INDENT_2).decode()


def milliseconds(latencies: list[float]) -> dict[str, float]:
    """Of answers to good clients."""
    cuts = quantiles(latencies, n=1000)
    return {"median": cuts[499] * 1000, "p99": cuts[989] * 1000, "longest": max(latencies) * 1000}
