"""The long list: the rows of a site's mapping files as one text, and an index over it.

A row is a line of the text, `old new`, or `old 302 new` where it names a status of its own: the old path in normal form
as its site compares it, and the finished Location. The index of a long text is an array of where its rows begin, in the
order of Python's own hash (open addressing, at most a third full). A dict of a million pairs would be twice as large;
and it would write a reference count at every look-up, so that each worker would soon have pages of its own, where these
stay shared. Files and lines are only asked for when a decision is explained.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from proxy.errors import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAPPINGS = "mappings"
"""The name under which metrics and reports count all rows of a site together."""

FIRST_OF_LOCATION = ord("h")
"""What every Location begins with; a row that goes on otherwise behind its old path names a status."""

_INDEXABLE = 1 << 32
"""How long a text may be for four bytes a row; for a longer one they are eight."""


class Row(NamedTuple):
    """One row. `at` is what `find` answers: where in the text the old path has ended."""

    old: bytes
    status: int | None
    location: bytes
    at: int


class MappingFile(NamedTuple):
    """A file that rows come from: how many rows stand before its first, and the line of each."""

    name: str
    before: int
    lines: Sequence[int]


SMALL = 10_000
"""Up to so many rows the index is a dict, which answers in a third of the time, and is not yet large."""


class MappingTable:
    """All rows of a site. Of two with the same old path the first counts, and `repeated` holds the other."""

    __slots__ = ("_starts", "files", "find", "repeated", "text")

    def __init__(self, text: bytes, files: Sequence[MappingFile], *, small: int = SMALL) -> None:
        """`text` begins with a line end, so that no row begins at 0, and ends with one."""
        count = text.count(b"\n") - 1
        index: dict[bytes, int] | _Slots = {} if count <= small else _Slots(text, count)
        self.text = text
        self.files = files
        self.find: Callable[[bytes], int | None] = index.get
        """The row with an old path, as the position in the text behind that path; `None` where there is none."""
        self.repeated: list[tuple[int, int]] = []
        """Rows that repeat an old path, each with the row that has it already."""
        self._starts = array(_code(text))
        start = 1
        while start < len(text):
            self._starts.append(start)
            end = text.index(b" ", start)
            first = index.setdefault(text[start:end], end + 1)
            if first != end + 1:
                self.repeated.append((end + 1, first))
            start = text.index(b"\n", end) + 1

    @classmethod
    def of(cls, file: str, rows: Iterable[tuple[bytes, bytes]], lines: Sequence[int] = ()) -> MappingTable:
        """A table of pairs of old paths and Locations, as if they stood in a file below its header."""
        text = b"\n" + b"".join(b"%b %b\n" % pair for pair in rows)
        return cls(text, [MappingFile(file, 0, lines or range(2, text.count(b"\n") + 1))])

    def row(self, number: int) -> Row:
        """A row by its number, from 0, over all files."""
        start = self._starts[number]
        old, *own, location = self.text[start : self.text.index(b"\n", start)].split(b" ")
        return Row(old, int(own[0]) if own else None, location, start + len(old) + 1)

    def place(self, at: int) -> Place:
        """Where a row is written."""
        number = bisect_right(self._starts, at) - 1
        file = self.files[bisect_right(self.files, number, key=_before) - 1]
        return Place(file.name, file.lines[number - file.before], 1)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, range(len(self)))


class _Slots:
    """Where the rows of a text begin, by the hash of their old paths; to whoever asks, a dict."""

    __slots__ = ("_mask", "_starts", "_text")

    def __init__(self, text: bytes, count: int) -> None:
        self._text = text
        self._mask = (1 << (3 * count).bit_length()) - 1
        self._starts = array(_code(text), [0]) * (self._mask + 1)

    def get(self, old: bytes) -> int | None:
        """The position behind an old path."""
        at = hash(old) & self._mask
        while start := self._starts[at]:
            beginning = old + b" "
            if self._text.startswith(beginning, start):
                return start + len(beginning)
            at = (at + 1) & self._mask
        return None

    def setdefault(self, old: bytes, position: int) -> int:
        """The position behind an old path: that which is known, or else the new one."""
        starts, mask = self._starts, self._mask
        beginning = old + b" "
        at = hash(old) & mask
        while start := starts[at]:
            if self._text.startswith(beginning, start):
                return start + len(beginning)
            at = (at + 1) & mask
        starts[at] = position - len(beginning)
        return position


def _code(text: bytes) -> str:
    """The type of array that can hold every position in a text."""
    return "I" if len(text) < _INDEXABLE else "Q"


def _before(file: MappingFile) -> int:
    return file.before
