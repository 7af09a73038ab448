"""Figures for the eye: a table a scenario, and what became of the goals."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.goals import Judgement, judge
from bench.results import Measured, Results
from bench.summary import HEADINGS, cells, starred


def show(console: Console, results: Results) -> None:
    """All of a run."""
    for scenario in results.scenarios:
        console.print(table(scenario), "")
    goals = list(judge(results))
    if goals:
        console.print(judged(goals), "")
    console.print(
        f"{results.machine}; load average at the start {results.machine.load_average:.1f}", style="dim", highlight=False
    )
    console.print(f"{results.form}, medians; {results.kernel}", style="dim", highlight=False)
    console.print(
        "; ".join(f"{name} {version}" for name, version in results.versions.items()), style="dim", highlight=False
    )


def table(scenario: Measured) -> Table:
    """A line a candidate."""
    found = framed(scenario.title, "server", *HEADINGS)
    for row in scenario.rows:
        found.add_row(starred(row), *cells(row, scenario), style="bold" if row.server == "Sunset" else "")
    notes = [f"* {row.name} {row.note}" for row in scenario.rows if row.note]
    found.caption = "; ".join(notes) or None
    return found


def framed(title: str, first: str, *headings: str) -> Table:
    """An empty table: what its lines are about on the left, figures on the right."""
    found = Table(title=title, box=None, pad_edge=False, collapse_padding=True)
    found.title_justify = found.caption_justify = "left"
    found.title_style = "bold"
    found.add_column(first, min_width=17)
    for heading in headings:
        found.add_column(heading, justify="right", no_wrap=True)
    return found


def judged(goals: list[Judgement]) -> Table:
    """A line a goal."""
    found = framed("Goals: how many times as good", "", "reached", "at least", "aim", "")
    for each in goals:
        verdict = "reached" if each.reached else "holds" if each.holds else "missed"
        style = "green" if each.holds else "red"
        goal = each.goal
        found.add_row(str(goal), f"{each.value:.2f}", f"{goal.least:.2f}", f"{goal.aim:.2f}", Text(verdict, style))
    return found
