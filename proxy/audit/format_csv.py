"""The report as CSV (RFC 4180), an address a row, for a spreadsheet.

A cell that begins with a sign that spreadsheets take for a formula gets an apostrophe in front, as addresses come from
strangers and a formula can send what stands in other cells elsewhere.
"""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

from proxy.audit.report import COLUMNS, Cell, Report

_FORMULA = frozenset("=+-@\t\r\n")


def write_csv(report: Report, stream: BinaryIO) -> None:
    """A header and a row for each address; UTF-8, lines end as RFC 4180 wants it."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(_safe, map(report.cells, report.rows)))
    finally:
        text.detach()  # flushes; the stream is the caller's to close


def _safe(cells: tuple[Cell, ...]) -> list[Cell]:
    return [
        ("yes" if cell else "no")
        if cell is True or cell is False
        else "'" + cell
        if type(cell) is str and cell and cell[0] in _FORMULA
        else cell
        for cell in cells
    ]
