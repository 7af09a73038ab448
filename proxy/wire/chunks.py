"""Bodies in chunks, read and written, with the trailers behind them (RFC 9112 section 7.1).

`ChunkedBody` reads one body, an origin's or a client's, cut wherever it likes:

    body = ChunkedBody(FieldLimits(line=8190, lines=128, section=16384))
    pieces, consumed = body.feed(data)      # raises MalformedError
    body.complete                           # then data[consumed:] is what came behind the body
    body.trailers                           # fields as they came; empty until the body is complete

All of `data` is consumed until the body is complete; `pieces` are what of the content was in there, and none is empty.
A body that has raised is malformed for good: nothing more is to be fed to it.

A size is hexadecimal digits and nothing else. A chunk extension is read over, as section 7.1.1 wants it, while it keeps
within a bound and has no control characters. Every line ends in CR LF.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.wire.fields import parse_fields
from proxy.wire.head import field_lines
from proxy.wire.lines import Lines
from proxy.wire.malformed import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.wire.fields import FieldLimits
    from proxy.wire.head import Header

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[\t ]*+;[^\x00-\x08\x0a-\x1f\x7f]*+)?\r\n")
_LONGEST_SIZE_LINE: Final = 1024
"""Bytes of a size with its extensions: these are read for nothing, so few are more than enough."""
_END_OF_LINE: Final = b"\r\n"


# What comes next.
_SIZE: Final = "size"
_CONTENT: Final = "content"
_END_OF_CHUNK: Final = "end of a chunk"
_TRAILERS: Final = "trailers"


class ChunkedBody:
    """Reads one body in chunks."""

    __slots__ = ("_left", "_limits", "_lines", "_next", "complete", "trailers")

    def __init__(self, limits: FieldLimits) -> None:
        self._limits = limits
        self._lines = Lines()
        self._next = _SIZE
        self._left = 0
        """What is still to come of a chunk's content."""
        self.complete = False
        """Whether all of it is there, with its trailers."""
        self.trailers: list[Header] = []

    def feed(self, data: bytes) -> tuple[list[bytes], int]:
        """More bytes. Gives the content in them, and how many of them were of this body. Raises `MalformedError`."""
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and not self.complete:
            if self._next == _SIZE:
                line, position = self._lines.line(data, position, _LONGEST_SIZE_LINE)
                if line:
                    self._begin_chunk(line)
            elif self._next == _CONTENT:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._next = _END_OF_CHUNK
            elif self._next == _END_OF_CHUNK:
                line, position = self._lines.line(data, position, len(_END_OF_LINE))
                if line:
                    self._next = _SIZE
            else:
                section, position = self._lines.section(data, position, self._limits.section)
                if section:
                    self.trailers = parse_fields(section[: -len(_END_OF_LINE)], self._limits)
                    self.complete = True
        return pieces, position

    def _begin_chunk(self, line: bytes) -> None:
        size = _SIZE_LINE.fullmatch(line)
        if size is None:
            raise MalformedError("a chunk size that is none")
        self._left = int(size[1], 16)
        self._next = _CONTENT if self._left else _TRAILERS


def chunk(content: bytes) -> bytes:
    """Content, which must not be empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def last_chunk(trailers: Iterable[Header] = ()) -> bytes:
    """The end of a body in chunks."""
    return b"0\r\n%b\r\n" % field_lines(trailers)
