"""Where text goes: standard output and standard error, with colour on a terminal alone (and never with NO_COLOR).

What is not a terminal has no width: a table that goes into a pipe or a file keeps each row on one line.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Final

from rich.console import Console

UNBOUNDED: Final = 10_000


class Screen(Console):
    """A console that leaves it to the border of the program what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        """Raises `BrokenPipeError`, where rich would end the program with 1."""
        raise BrokenPipeError


def output() -> Screen:
    """Standard output, for what was asked for."""
    return _console(sys.stdout)


def errors() -> Screen:
    """Standard error, for all else."""
    return _console(sys.stderr)


def _console(stream: IO[str]) -> Screen:
    plain = not stream.isatty() or bool(os.environ.get("NO_COLOR"))
    return Screen(
        file=stream,
        color_system=None if plain else "auto",
        width=None if stream.isatty() else UNBOUNDED,
        highlight=False,
        soft_wrap=not stream.isatty(),
        emoji=False,
        markup=False,
    )
