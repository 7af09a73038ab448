"""Lengths of time as rule files write them: whole seconds, or a number with a unit, as in `90s`, `30m`, `12h`, `1w`."""

from __future__ import annotations

import re
from typing import Final

from proxy.rulebook.refusal import Refusal

MAX_SECONDS: Final = 2**31 - 1
"""68 years; caches take more for no end at all (RFC 9111 section 1.2.2)."""

DURATION_SCHEMA: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": MAX_SECONDS},
        {"type": "string", "pattern": "^[0-9]{1,10}[smhdw]$"},
    ]
}

_TEXT = re.compile(r"([0-9]{1,10})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(value: object) -> int:
    """Seconds. Raises `Refusal`."""
    match value:
        case bool():
            seconds = -1
        case int():
            seconds = value
        case str() if match := _TEXT.fullmatch(value):
            seconds = int(match[1]) * _UNITS[match[2]]
        case _:
            seconds = -1
    if seconds < 0:
        message = "a length of time is a whole number of seconds, or a number with s, m, h, d or w, as in 30d"
        raise Refusal("bad-duration", message)
    if seconds > MAX_SECONDS:
        raise Refusal(
            "bad-duration", "this is longer than 68 years, which no browser or cache keeps apart from for ever"
        )
    return seconds
