"""How a text of addresses is laid out: a plain list, or a table with a column of addresses and perhaps one of clicks.

Strategy: the first line decides where it is a header that names a column as SEO tools name it. Else the contents do:
a header in any other language stands above a column of addresses; without a header the first column that holds
addresses is meant. An address may hold commas and semicolons itself (`/news,123` is one), so without a header, and
without a name such as `old.csv`, they separate only addresses from addresses; a tab always separates.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SAMPLE_LINES: Final = 20
"""How many lines are looked at."""

_SEPARATORS = ("\t", ";", ",")
_NARROWEST = 2
_TABLES = (".csv", ".tsv", ".tab")

_OF_ADDRESSES = tuple(
    re.compile(name)
    for name in (
        r"old( (url|address|page|path|link|location))?",
        r"top pages|pages les plus populaires|häufigste seiten|halaman teratas",
        r"(source|from|current|landing|original|full|page|website|site)? ?(url|address|page|location)s?( address)?",
        r"loc|link|uri|from|source",
    )
)
"""Names of the column of addresses, the surest first."""
_OF_CLICKS = tuple(
    re.compile(name)
    for name in (
        r"(total |url |organic )?(clicks|clics|klicks|klik)",
        r"(sessions|visits|hits|requests|traffic|organic traffic|users|visitors)",
        r"(page ?)?views|count",
        r"impressions?|tayangan|impressionen",
    )
)
"""Names of the column of clicks, what is closest to a visit first."""

_ADDRESS = re.compile(r"https?://.|[\w-]+(\.[\w-]+)*\.[^\W\d_]{2,}(:\d+)?([/?#]|$)", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d[\d.,'\s]*%?")


@dataclass(frozen=True, slots=True)
class ListLayout:
    """An address a line; blank lines and comments are none."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Columns count from 0. `clicks` is None where no column counts visits."""

    separator: str
    address: int
    clicks: int | None
    has_header: bool


@dataclass(frozen=True, slots=True)
class NoLayout:
    """A file that is named like a table, and has no addresses where some should be; `header` is its first line."""

    header: str


Layout = ListLayout | TableLayout | NoLayout


def layout_of(sample: Sequence[str], name: str) -> Layout:
    """The layout of a text that begins with the lines of `sample`; `name` is the file's name."""
    lines = [line.strip("\r\n") for line in sample]
    lines = [line for line in lines if line.strip() and not is_comment(line)]
    if not lines:
        return ListLayout()
    tables = [(separator, [_cells(line, separator) for line in lines]) for separator in _SEPARATORS]
    for separator, rows in tables:
        if (found := _by_names(separator, rows[0])) is not None:
            return found
    is_table = name.lower().removesuffix(".gz").endswith(_TABLES)
    for separator, rows in tables:
        if (found := _by_contents(separator, rows, is_table=is_table)) is not None:
            return found
    return NoLayout(lines[0]) if is_table and not any(map(holds_address, lines)) else ListLayout()


def is_comment(line: str) -> bool:
    """Whether a line is a remark. `#,URL` is none: so begins a table whose first column counts its rows."""
    return line.startswith("#") and line[1:2] not in {*_SEPARATORS, '"'}


def holds_address(cell: str) -> bool:
    """Whether a cell looks like a whole address: with a scheme, or a host name to begin with."""
    return _ADDRESS.match(cell) is not None


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]


def _by_names(separator: str, header: list[str]) -> TableLayout | None:
    names = [re.sub(r"[\s_-]+", " ", cell).strip().lower() for cell in header]
    address = _first_match(_OF_ADDRESSES, names)
    return (
        None if address is None else TableLayout(separator, address, _first_match(_OF_CLICKS, names), has_header=True)
    )


def _first_match(patterns: Sequence[re.Pattern[str]], names: Sequence[str]) -> int | None:
    for pattern in patterns:
        for index, name in enumerate(names):
            if pattern.fullmatch(name):
                return index
    return None


def _by_contents(separator: str, rows: list[list[str]], *, is_table: bool) -> TableLayout | None:
    width = min(map(len, rows))
    if width < _NARROWEST:
        return None
    has_header = len(rows) > 1 and not any(map(holds_address, rows[0]))
    body = rows[1:] if has_header else rows
    address = next((index for index in range(width) if _holds_addresses([row[index] for row in body])), None)
    if address is None:
        return None
    beside = [cell for row in body for index, cell in enumerate(row) if index != address]
    if not (is_table or has_header or separator == "\t" or all(map(holds_address, beside))):
        return None
    if has_header:
        names = [cell.lower() for cell in rows[0]]
        return TableLayout(separator, address, _first_match(_OF_CLICKS, names), has_header=True)
    counts = len(beside) == len(body) and all(_NUMBER.fullmatch(cell) for cell in beside)
    return TableLayout(separator, address, 1 - address if counts else None, has_header=False)


def _holds_addresses(cells: list[str]) -> bool:
    """Whether most of them do: a few may be malformed, as the report will say."""
    return 2 * sum(map(holds_address, cells)) > len(cells)
