"""What the figures must show, and what they are to reach. Each compares candidates of the same run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from bench.results import Results, Row

LOADING_SECONDS: Final = 10.0
"""That a million mappings may take."""


class Figure(Enum):
    """What is compared, so that more is better."""

    CPU = auto()
    """Requests in a CPU second."""
    LOADING = auto()
    """The time that it may take, against the time until it listens."""
    MEMORY = auto()
    """Theirs against ours."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`ours` must reach `least` times `theirs`, and is to reach `aim` times."""

    scenario: str
    ours: str
    theirs: str
    least: float
    aim: float
    figure: Figure = Figure.CPU

    def __str__(self) -> str:
        match self.figure:
            case Figure.CPU:
                return f"{self.scenario}: {self.ours} / {self.theirs}"
            case Figure.MEMORY:
                return f"{self.scenario}: memory, {self.ours} / {self.theirs}"
            case Figure.LOADING:
                return f"{self.scenario}: {self.ours}, loading within {LOADING_SECONDS:.0f} s"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was reached of a goal."""

    goal: Goal
    value: float

    @property
    def holds(self) -> bool:
        """Whether it is as much as it must be."""
        return self.value >= self.goal.least

    @property
    def reached(self) -> bool:
        """Whether it is as much as it is to be."""
        return self.value >= self.goal.aim


GOALS: Final = (
    Goal("keep-alive", "Sunset", "nginx", 0.75, 1.0),
    Goal("keep-alive", "Sunset", "Caddy", 2.5, 3.0),
    Goal("keep-alive", "Sunset", "aiohttp", 3.0, 3.0),
    Goal("keep-alive", "Sunset on 2 cores", "Sunset", 0.95, 0.95),
    Goal("new-connection", "Sunset", "nginx", 0.65, 0.9),
    Goal("tls", "Sunset", "nginx", 0.68, 0.9),
    Goal("mappings", "Sunset 1,000,000", "Sunset 10", 1 / 1.1, 1 / 1.1),
    Goal("mappings", "Sunset 1,000,000", "nginx 1,000,000", 1.0, 1.0, Figure.MEMORY),
    Goal("mappings", "Sunset 1,000,000", "Sunset 1,000,000", 1.0, 1.0, Figure.LOADING),
    Goal("regexes", "Sunset 1,000", "Sunset 10", 1 / 1.25, 1 / 1.25),
    Goal("notice", "Sunset", "Caddy", 0.5, 1.5),
)


def judge(results: Results) -> Iterator[Judgement]:
    """Those of the goals of which everything was measured."""
    for goal in GOALS:
        scenario = results.scenario(goal.scenario)
        ours = scenario and scenario.row(goal.ours)
        theirs = scenario and scenario.row(goal.theirs)
        if ours and theirs:
            yield Judgement(goal, value(goal.figure, ours, theirs))


def value(figure: Figure, ours: Row, theirs: Row) -> float:
    """How many times as good."""
    match figure:
        case Figure.CPU:
            return ours.of(theirs)
        case Figure.MEMORY:
            return theirs.memory_kib / ours.memory_kib
        case Figure.LOADING:
            return LOADING_SECONDS / ours.loading_seconds


def complaints(results: Results, *, whole: bool) -> Iterator[str]:
    """What is not as it must be. Of a whole run in the full form nothing may be missing."""
    judgements = {judgement.goal: judgement for judgement in judge(results)}
    for goal in GOALS:
        judgement = judgements.get(goal)
        if judgement is None and whole:
            yield f"not measured: {goal}"
        elif judgement is not None and not judgement.holds:
            yield f"missed: {goal}: {judgement.value:.2f}, and must be {goal.least:.2f}"
