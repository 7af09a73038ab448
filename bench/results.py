"""What was measured, round by round, and what follows from it. It is kept as JSON in bench/results/."""

from __future__ import annotations

import statistics
from datetime import date
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from bench.machine import Machine

FOLDER: Final = Path(__file__).parent / "results"
LATEST: Final = FOLDER / "latest.json"
"""The last whole run in the full form: what documents show."""


class Figures(BaseModel):
    """A frozen model."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Round(Figures):
    """One turn of one candidate."""

    requests: int
    seconds: float
    microseconds: float
    """CPU time of all its processes, for each request."""
    system_microseconds: float
    """That part of it which they spent in the kernel."""
    worker_microseconds: float
    """CPU time of the busiest of them alone."""
    p50_ms: float
    p99_ms: float


class Row(Figures):
    """A candidate in all its rounds."""

    server: str
    size: int | None
    note: str
    processes: int
    loading_seconds: float
    """From the start of its program until it answers."""
    memory_kib: int
    """Proportional set size of all its processes, after the last round."""
    rounds: list[Round]

    @property
    def name(self) -> str:
        """By which goals and people tell it from others of its scenario."""
        return self.server if self.size is None else f"{self.server} {self.size:,}"

    @property
    def microseconds(self) -> float:
        """The median of its rounds."""
        return statistics.median(each.microseconds for each in self.rounds)

    @property
    def system_microseconds(self) -> float:
        """Likewise."""
        return statistics.median(each.system_microseconds for each in self.rounds)

    @property
    def worker_microseconds(self) -> float:
        """Likewise."""
        return statistics.median(each.worker_microseconds for each in self.rounds)

    @property
    def p50_ms(self) -> float:
        """Likewise."""
        return statistics.median(each.p50_ms for each in self.rounds)

    @property
    def p99_ms(self) -> float:
        """Likewise."""
        return statistics.median(each.p99_ms for each in self.rounds)

    def of(self, other: Row) -> float:
        """How many requests it answers in the CPU time in which the other answers one: the median over the rounds."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(theirs.microseconds / ours.microseconds for ours, theirs in pairs)


class Measured(Figures):
    """A scenario."""

    name: str
    title: str
    rows: list[Row]

    def row(self, name: str) -> Row | None:
        """The candidate of that name, if it was measured."""
        return next((row for row in self.rows if row.name == name), None)

    def reference(self, row: Row) -> Row | None:
        """What a candidate is held against: nginx with the same rules."""
        return next((other for other in self.rows if (other.server, other.size) == ("nginx", row.size)), None)


class Form(Figures):
    """How long it was measured."""

    rounds: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.rounds} round{'' if self.rounds == 1 else 's'} of {self.seconds} s"


class Results(Figures):
    """A run."""

    day: date
    machine: Machine
    kernel: str
    """What was set in it."""
    versions: dict[str, str]
    commit: str
    form: Form
    scenarios: list[Measured]

    @classmethod
    def read(cls, file: Path) -> Self:
        """From a file."""
        return cls.model_validate_json(file.read_text())

    def write(self, file: Path) -> None:
        """To a file, with a line for each figure: a change of it is to be read in git."""
        file.parent.mkdir(exist_ok=True)
        file.write_text(self.model_dump_json(indent=1) + "\n")

    def scenario(self, name: str) -> Measured | None:
        """The one of that name, if it was measured."""
        return next((scenario for scenario in self.scenarios if scenario.name == name), None)
