"""The ground every floor stands on: places in files, problems found there, and the exceptions that carry them.

A rulebook with one error is not used at all, and whoever edits it wants every mistake at once. So a mistake is a value
(`Problem`), not an exception: parts of the loader collect problems and go on, and only the loader's border raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SunsetError(Exception):
    """Something that Sunset can explain: its text says what is wrong, where, and what to do."""


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where something stands in a file. Lines and columns count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


class Severity(StrEnum):
    """An error keeps a rulebook from being used; a warning does not, unless `check --strict` says so."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a rule file.

    `code` is stable and has a line in docs/errors.md; `source` is the line of the file as it stands, for the caret.
    """

    place: Place
    code: str
    message: str
    severity: Severity = Severity.ERROR
    source: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.code} {self.message}"

    def with_caret(self) -> str:
        """The problem, and below it the line of the file with a caret under the column."""
        if not self.source.strip() or not self.place.column:
            return str(self)
        lead = "".join("\t" if char == "\t" else " " for char in self.source[: self.place.column - 1])
        return f"{self}\n    {self.source}\n    {lead}^"


class RulebookErrors(SunsetError):
    """A rulebook that cannot be used, with every problem of every file, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda problem: problem.place))
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the rulebook from being used."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)
