"""Where the head of a request ends (RFC 9112 sections 2.1 to 2.3), told before anybody reads it.

A head is only read as a whole. What can never be one, because a line does not end in CR LF or a control character
stands in it, is told at once, so that nobody waits for the rest of it; and it is told alike however a head comes, so
that no parser behind is asked what it makes of such lines.
"""

from __future__ import annotations

import re
from typing import Final

END_OF_HEAD: Final = b"\r\n\r\n"

_HOPELESS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?=[^\n])")


class HeadError(ValueError):
    """What came is no head, or too much of one. `status` is what is answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def without_blank_lines(data: bytes) -> bytes:
    """Without the empty lines that a careless client sends behind a body (section 2.2)."""
    while data.startswith(b"\r\n"):
        data = data[2:]
    return data


def end_of_head(data: bytes, seen: int, *, longest: int, longest_target: int) -> int:
    """The place behind the first head in `data`; 0 where it has not come to its end yet.

    Up to `seen` it was looked at before. Raises `HeadError`.
    """
    found = data.find(END_OF_HEAD, max(seen - len(END_OF_HEAD) + 1, 0))
    end = found + len(END_OF_HEAD) if found >= 0 else 0
    if _HOPELESS.search(data, max(seen - 1, 0), end or len(data)) is not None:
        raise HeadError(400, "malformed request")
    if end > longest:
        raise HeadError(431, "header fields too large")
    if end:
        return end
    if len(data) > longest_target and data.find(b"\r\n") < 0:
        raise HeadError(414, "request target too long")
    if len(data) > longest:
        raise HeadError(431, "header fields too large")
    return 0
