"""What follows from figures: ratios, goals, and what documents show of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from bench.goals import GOALS, complaints, judge
from bench.machine import Machine
from bench.markdown import documents, filled
from bench.plot import svg
from bench.results import LATEST, Form, Measured, Results, Round, Row
from bench.scenario import SCENARIOS

KEPT = Results.read(LATEST)
MACHINE = Machine(cpu="a CPU", cores=2, system="a system", kernel="6.1", load_average=0.0)


def row(server: str, *microseconds: float, size: int | None = None, memory: int = 1000, loading: float = 1.0) -> Row:
    rounds = [
        Round(
            requests=1000,
            seconds=1.0,
            microseconds=each,
            system_microseconds=each / 2,
            worker_microseconds=each,
            p50_ms=1.0,
            p99_ms=2.0,
        )
        for each in microseconds
    ]
    return Row(
        server=server, size=size, note="", processes=1, loading_seconds=loading, memory_kib=memory, rounds=rounds
    )


def results(name: str, *rows: Row) -> Results:
    return Results(
        day=date(2026, 1, 1),
        machine=MACHINE,
        kernel="",
        versions={"Sunset": "0"},
        commit="0",
        form=Form(rounds=3, seconds=1),
        scenarios=[Measured(name=name, title="Title", rows=list(rows))],
    )


def test_a_ratio_is_the_median_of_the_ratios_of_rounds() -> None:
    # The machine was twice as slow in the second round, for both.
    assert row("Sunset", 10.0, 20.0, 11.0).of(row("nginx", 8.0, 16.0, 11.0)) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("name", "rows", "held"),
    [
        ("keep-alive", [row("Sunset", 10), row("nginx", 7.6)], [True]),
        ("keep-alive", [row("Sunset", 10), row("nginx", 7.4)], [False]),
        ("keep-alive", [row("Sunset", 10), row("Caddy", 26), row("aiohttp", 29)], [True, False]),
        ("new-connection", [row("Sunset", 10), row("nginx", 6.6)], [True]),
        ("tls", [row("Sunset", 10), row("nginx", 6.7)], [False]),
        ("regexes", [row("Sunset", 12.4, size=1000), row("Sunset", 10, size=10)], [True]),
        ("regexes", [row("Sunset", 12.6, size=1000), row("Sunset", 10, size=10)], [False]),
        ("notice", [row("Sunset", 10), row("Caddy", 4.9)], [False]),
        ("mappings", [row("Sunset", 10.9, size=1_000_000), row("Sunset", 10, size=10)], [True, True]),
        ("mappings", [row("Sunset", 11.1, size=1_000_000, loading=10.1), row("Sunset", 10, size=10)], [False, False]),
        ("mappings", [row("Sunset", 9, size=1_000_000, memory=9), row("nginx", 9, size=1_000_000, memory=9)], [1, 1]),
        ("mappings", [row("Sunset", 9, size=1_000_000, memory=9), row("nginx", 9, size=1_000_000, memory=8)], [0, 1]),
        ("keep-alive", [row("nginx", 10)], []),
    ],
)
def test_goals_are_judged(name: str, rows: list[Row], held: list[bool]) -> None:
    assert [judgement.holds for judgement in judge(results(name, *rows))] == held


def test_a_figure_that_is_missed_or_missing_is_complained_of() -> None:
    part = results("keep-alive", row("Sunset", 10), row("nginx", 7), row("Caddy", 30))
    assert list(complaints(part, whole=False)) == ["missed: keep-alive: Sunset / nginx: 0.70, and must be 0.75"]
    complained = list(complaints(part, whole=True))
    assert len(complained) == len(GOALS) - 1
    assert complained[1] == "not measured: keep-alive: Sunset / aiohttp"


def test_every_goal_is_about_something_that_is_measured() -> None:
    measured = {
        (scenario.name, f"{each.peer.name} {each.size:,}" if each.size else each.peer.name)
        for scenario in SCENARIOS
        for each in scenario.in_form(full=True)
    }
    assert {(goal.scenario, name) for goal in GOALS for name in (goal.ours, goal.theirs)} <= measured


@pytest.mark.parametrize(("file", "figures"), list(documents(KEPT)), ids=lambda value: getattr(value, "name", ""))
def test_documents_show_what_was_measured(file: Path, figures: str) -> None:
    text = file.read_text("utf-8")
    assert text == filled(text, figures), f'make bench ARGS="--show {LATEST.stem} --documents" writes {file.name} anew'


def test_the_plot_shows_what_was_measured() -> None:
    text = LATEST.with_suffix(".svg").read_text("utf-8")
    assert text == svg(KEPT)
    ET.fromstring(text)  # noqa: S314 - our own


def test_a_document_without_a_place_for_figures_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place"):
        filled("# Nothing\n", "| figures |\n")
