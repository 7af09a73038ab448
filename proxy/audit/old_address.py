"""Old addresses as the readers hand them on: what was written, how much traffic it has, where it stood.

Nothing is judged here. A malformed address is an address like any other, and becomes a row of the report; only what
could not be read at all is `Skipped`, a value too, so that one missing part does not hide what the rest would show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from proxy.errors import Place


class OldAddress(NamedTuple):
    """One address of the old site, without the blanks around it. `line` counts from 1."""

    text: str
    clicks: int
    file: str
    line: int

    @property
    def place(self) -> Place:
        """Where it was read."""
        return Place(self.file, self.line)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of the input that was not read, and what to do about it. The report that it is in is not complete."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


Progress = Callable[[int, int, int | None], None]
"""Called now and then with: addresses read, bytes read, bytes in all (`None` where standard input has no size)."""
