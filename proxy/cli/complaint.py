"""What is wrong, told to people: every problem with its line and a caret, and a count at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from proxy.errors import RulebookErrors, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from proxy.errors import Problem, SunsetError

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


def complain(error: SunsetError, console: Console) -> None:
    """Says what an error says; of a rulebook every problem."""
    if isinstance(error, RulebookErrors):
        complain_of(error.problems, console)
    else:
        console.print(Text.assemble(("sunset: ", "bold red"), str(error)))


def complain_of(problems: Sequence[Problem], console: Console) -> None:
    """Says every problem with the line that it stands on, then how many there are."""
    for problem in problems:
        console.print(_text(problem))
    if problems:
        console.print(count(problems))


def count(problems: Sequence[Problem]) -> str:
    """`3 errors, 1 warning in 2 files`."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    files = len({problem.place.file for problem in problems})
    kinds = [number(errors, "error")] if errors or not warnings else []
    if warnings:
        kinds.append(number(warnings, "warning"))
    return f"{', '.join(kinds)} in {number(files, 'file')}"


def number(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _text(problem: Problem) -> Text:
    head, newline, source = problem.with_caret().partition("\n")
    place, _, rest = head.partition(f": {problem.code} ")
    return Text.assemble(
        (place, "bold"), ": ", (problem.code, _COLOURS[problem.severity]), f" {rest}", (newline + source, "dim")
    )
