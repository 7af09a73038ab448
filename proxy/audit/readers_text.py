"""Readers of plain lists and of tables (CSV as in RFC 4180; comma, semicolon or tab).

Strategy: lines come from a `Source` one by one, the first few decide the layout, and then they only run through. A cell
that should count clicks and does not is an error with its line: a wrong column would weigh the whole report wrongly.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import assert_never

from proxy.audit.old_address import OldAddress
from proxy.audit.readers_layout import SAMPLE_LINES, ListLayout, NoLayout, TableLayout, is_comment, layout_of
from proxy.audit.source import Source

_NOTHING = frozenset({"", "-", "\u2013", "~", "n/a", "null"})
"""What tables write where there were no clicks."""
_BLANKS = re.compile("[\\s\u00a0\u202f']")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_DIGITS = 19
_DECIMAL = re.compile(r"(\d{1,18})(?:[.,]\d*)?")


def read_text(source: Source) -> Iterator[OldAddress]:
    """The addresses of a list or table, in file order; raises `SunsetError` with the line of what cannot be read."""
    lines = source.lines()
    sample = list(islice(lines, SAMPLE_LINES))
    lines = chain(sample, lines)
    match layout := layout_of(sample, source.name):
        case ListLayout():
            return _read_list(source.name, lines)
        case TableLayout():
            return _read_table(source, lines, layout)
        case NoLayout(header):
            message = f'no column of addresses in "{header[:60]}": name one url, address, page or old'
            raise source.error(message, 1)
        case _:
            assert_never(layout)


def _read_list(name: str, lines: Iterator[str]) -> Iterator[OldAddress]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not is_comment(text):
            yield OldAddress(text, 0, name, number)


def _read_table(source: Source, lines: Iterator[str], layout: TableLayout) -> Iterator[OldAddress]:
    name, address, clicks = source.name, layout.address, layout.clicks
    above, lines = _without_remarks(lines)
    rows = csv.reader(lines, delimiter=layout.separator, strict=True)
    try:
        if layout.has_header:
            next(rows, None)
        for row in rows:
            if not any(row):
                continue
            count = 0
            if clicks is not None and clicks < len(row):
                cell = row[clicks]
                count = int(cell) if cell.isascii() and cell.isdigit() and len(cell) < _DIGITS else _number(cell)
                if count < 0:
                    message = f'"{cell[:40]}" is no number of clicks: correct the cell, or leave it empty'
                    raise source.error(message, above + rows.line_num)
            # A row too short for its address is a row of the report, like any other malformed address.
            yield OldAddress(row[address].strip() if address < len(row) else "", count, name, above + rows.line_num)
    except csv.Error as error:
        message = f"this row cannot be read ({error}): export the table again, as CSV"
        raise source.error(message, above + rows.line_num) from error


def _without_remarks(lines: Iterator[str]) -> tuple[int, Iterator[str]]:
    """A table from its first row on, and how many lines of remarks stand above it."""
    above = 0
    for line in lines:
        if line.strip() and not is_comment(line):
            return above, chain((line,), lines)
        above += 1
    return above, lines


def _number(cell: str) -> int:
    """A count as people and spreadsheets write it, `1,234` or `1.234` or `12.0`; -1 for what is none."""
    text = _BLANKS.sub("", cell)
    if text.lower() in _NOTHING:
        return 0
    if len(text) <= _DIGITS and _THOUSANDS.fullmatch(text):
        return int(text.replace(",", "").replace(".", ""))
    match = _DECIMAL.fullmatch(text)
    return -1 if match is None or not text.isascii() else int(match[1])
