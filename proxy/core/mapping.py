"""The long list: rows of old and new addresses, kept small enough for a million of them.

A row is an entry in a dict of bytes, an index, and its finished Location; lines of the file are only asked for when a
decision is explained. Old addresses are keys in normal form, as the site compares them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAPPINGS = "mappings"
"""The name under which metrics and reports count all rows of all mappings of a site together."""


@dataclass(frozen=True, slots=True, eq=False)
class MappingTable:
    """The rows of one CSV.

    `rows` leads from an old path (normal form, as its site compares it) to the row's index; `targets` holds the
    Locations by index, `lines` the lines of the file, `statuses` the statuses of the few rows that name one.
    """

    file: str
    rows: dict[bytes, int]
    targets: list[bytes]
    lines: Sequence[int]
    statuses: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))

    def line(self, row: int) -> int:
        """The line of the file that a row stands on."""
        return self.lines[row]
