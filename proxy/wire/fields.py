"""Field lines of a head or of trailers, read as they came (RFC 9112 sections 5 and 7.1.2).

A name is a token with its colon right behind it; a value has no control character but the tab, and the blanks around it
are none of its own; a line ends in CR LF. A folded line is malformed (section 5.2), and so is all else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.wire.malformed import MalformedError

if TYPE_CHECKING:
    from proxy.wire.head import Header

_FIELD = re.compile(rb"^([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[\t ]*+([^\x00-\x08\x0a-\x1f\x7f]*+)\r\n", re.MULTILINE)
_BLANKS: Final = b"\t "


class FieldLimits(NamedTuple):
    """How much of fields is taken."""

    line: int
    """Bytes of one, name and value."""
    lines: int
    """How many there may be."""
    section: int
    """Bytes of all together, with a start line where there is one."""


def parse_fields(lines: bytes, limits: FieldLimits) -> list[Header]:
    """The fields that lines give, each with its end, in their order. Raises `MalformedError`."""
    fields: list[Header] = _FIELD.findall(lines)
    if len(fields) != lines.count(b"\n"):  # a field has just one, at its end
        raise MalformedError("a field line that is none")
    if len(fields) > limits.lines:
        raise MalformedError("too many fields")
    if len(lines) > limits.line and any(len(name) + len(value) > limits.line for name, value in fields):
        raise MalformedError("a field that is too long")
    if b" \r" in lines or b"\t\r" in lines:
        return [(name, value.rstrip(_BLANKS)) for name, value in fields]
    return fields
