"""The columns of a mapping: which separator, and where `old`, `new` and `status` stand."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from difflib import get_close_matches

from proxy.rulebook.refusal import Refusal

SEPARATORS = (",", ";", "\t")
_NEEDED = ("old", "new")
_STATUS = "status"
_SIMILAR = 0.7


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions from 0; `width` is how many columns there are."""

    delimiter: str
    old: int
    new: int
    status: int | None
    width: int


def read_header(line: str) -> Columns:
    """The columns that the first line names. Raises `Refusal`."""
    if not line.strip():
        raise Refusal("mapping-header", 'the first line names the columns: "old,new" or "old,new,status"')
    delimiter = max(SEPARATORS, key=line.count)
    try:
        names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        raise Refusal("mapping-header", f"the first line cannot be read: {error}") from None
    for name in (*_NEEDED, _STATUS):
        if names.count(name) > 1:
            offset = column_of(line, len(names) - 1 - names[::-1].index(name), delimiter) - 1
            raise Refusal("mapping-header", f'the column "{name}" stands here twice', offset)
    others = [name for name in names if name not in {*_NEEDED, _STATUS}]
    for name in _NEEDED:
        if name not in names:
            close = get_close_matches(name, others, n=1, cutoff=_SIMILAR - 0.2)
            hint = f'; is "{close[0]}" meant to be it?' if close else ""
            raise Refusal("mapping-header", f'there is no column "{name}" in the first line{hint}')
    if _STATUS not in names and (close := get_close_matches(_STATUS, others, n=1, cutoff=_SIMILAR)):
        offset = column_of(line, names.index(close[0]), delimiter) - 1
        raise Refusal("mapping-header", f'the column "{close[0]}" means nothing; did you mean "{_STATUS}"?', offset)
    status = names.index(_STATUS) if _STATUS in names else None
    return Columns(delimiter, names.index("old"), names.index("new"), status, len(names))


def column_of(line: str, index: int, delimiter: str) -> int:
    """Where in a line the field with that index begins, counted from 1."""
    quoted = False
    for position, char in enumerate(line):
        if index == 0:
            return position + 1
        if char == '"':
            quoted = not quoted
        elif char == delimiter and not quoted:
            index -= 1
    return len(line) + 1 if index == 0 and line else 1
