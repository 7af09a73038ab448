"""An origin's answer, read from bytes that come cut anywhere (RFC 9112 sections 2, 4 and 6; RFC 9110 section 15.2).

`AnswerParser` is a state machine without a socket; one of them reads what is said to one request:

    parser = AnswerParser(limits, method=b"GET")
    for event in parser.feed(data):         # raises MalformedError
        ...                                 # an AnswerHead, or bytes of the body, of which none are empty
    parser.complete                         # the answer is; with parser.trailers, and parser.is_reusable
    parser.end()                            # the connection has ended: that too can complete an answer

    head ─┬─ interim (1xx) ──────── head
          ├─ 101 ────────────────── switched: all that follows is of another protocol, and given as it comes
          ├─ no body ────────────── complete
          ├─ a length ─── counted ─ complete
          ├─ chunks ───── chunks ── complete, with trailers
          └─ neither ──── rest ──── complete when the connection ends

What could be read in two ways is malformed: a length beside chunks, two lengths, another coding than `chunked`, chunks
of somebody who speaks HTTP/1.0, a body where there must be none. Once an answer is malformed or complete, nothing that
follows belongs to anybody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.wire.chunks import ChunkedBody
from proxy.wire.fields import parse_fields
from proxy.wire.lines import Lines
from proxy.wire.malformed import MalformedError

if TYPE_CHECKING:
    from proxy.wire.fields import FieldLimits
    from proxy.wire.head import Header

SWITCHING: Final = 101
WITHOUT_BODY: Final = frozenset({204, 304})
"""Statuses of final answers that have no body, whatever their fields say of one."""

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\x00-\x08\x0a-\x1f\x7f]*+))?\r\n")
_BEGINNING: Final = b"HTTP/1."
_END_OF_LINE: Final = b"\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"
_FINAL: Final = 200
_LONGEST_LENGTH: Final = 18
"""Digits of a Content-Length: an exabyte is more than anybody sends."""
_MOST_INTERIM_ANSWERS: Final = 32
"""To one request: nobody waits for ever while hints trickle in."""

# What comes next.
_HEAD: Final = "head"
_COUNTED: Final = "as many bytes as were said"
_CHUNKS: Final = "chunks"
_REST: Final = "all that comes"
_SWITCHED: Final = "another protocol"
_NOTHING: Final = "nothing"


class AnswerHead(NamedTuple):
    """The head of an answer, known to be well-formed."""

    status: int
    reason: bytes
    version: bytes
    """What the origin speaks: `b"1.1"`."""
    headers: list[Header]
    """As received, in their order."""
    length: int | None
    """What Content-Length says."""
    is_chunked: bool
    keeps_alive: bool
    """Whether the origin lets the connection go on behind the answer."""

    @property
    def is_interim(self) -> bool:
        """Whether another answer to the same request follows."""
        return self.status < _FINAL and self.status != SWITCHING


class AnswerParser:
    """Reads the answer to one request, whose `method` decides whether there is a body."""

    __slots__ = (
        "_beginning",
        "_chunks",
        "_interim",
        "_keeps_alive",
        "_left",
        "_limits",
        "_lines",
        "_next",
        "_to_head",
        "has_excess",
        "trailers",
    )

    def __init__(self, limits: FieldLimits, *, method: bytes) -> None:
        self._limits = limits
        self._to_head = method == b"HEAD"
        self._next = _HEAD
        self._lines: Lines | None = None
        """There while a head comes in parts."""
        self._beginning = b""
        """What came first of such a head."""
        self._interim = 0
        self._left = 0
        """What is still to come of a body of a known length."""
        self._chunks: ChunkedBody
        """There once a body comes in chunks."""
        self._keeps_alive = False
        self.trailers: list[Header] = []
        """The fields behind the body, once the answer is complete."""
        self.has_excess = False
        """Whether bytes came behind the answer, which nobody has asked for."""

    @property
    def complete(self) -> bool:
        """Whether the answer is there, with all of its body."""
        return self._next == _NOTHING

    @property
    def has_switched(self) -> bool:
        """Whether what follows is of another protocol."""
        return self._next == _SWITCHED

    @property
    def is_reusable(self) -> bool:
        """Whether the connection is good for another request."""
        return self._next == _NOTHING and self._keeps_alive and not self.has_excess

    def feed(self, data: bytes) -> list[AnswerHead | bytes]:
        """More bytes. Gives what is new; raises `MalformedError`, and then nothing more is to be fed."""
        events: list[AnswerHead | bytes] = []
        position = 0
        while position < len(data):
            if self._next == _HEAD:
                head, position = self._head(data, position)
                if head is not None:
                    events.append(head)
            elif self._next == _COUNTED:
                piece = data[position : position + self._left]
                events.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._next = _NOTHING
            elif self._next == _CHUNKS:
                pieces, consumed = self._chunks.feed(data[position:])
                events += pieces
                position += consumed
                if self._chunks.complete:
                    self.trailers = self._chunks.trailers
                    self._next = _NOTHING
            elif self._next == _NOTHING:
                self.has_excess = True
                break
            else:
                events.append(data[position:])
                break
        return events

    def end(self) -> None:
        """No more bytes will come."""
        self._keeps_alive = False
        if self._next == _REST:
            self._next = _NOTHING

    def _head(self, data: bytes, position: int) -> tuple[AnswerHead | None, int]:
        """A head, if its end is there, and the place behind what was read."""
        end = data.find(_END_OF_HEAD, position, position + self._limits.section) if self._lines is None else -1
        if end >= 0:
            lines = data[position : end + len(_END_OF_LINE)]
            position = end + len(_END_OF_HEAD)
        else:
            if self._lines is None:
                self._lines = Lines()
                self._beginning = b""
            self._look_at_beginning(data[position : position + len(_BEGINNING)])
            section, position = self._lines.section(data, position, self._limits.section)
            if not section:
                return None, position
            lines = section[: -len(_END_OF_LINE)]
            self._lines = None
        head = parse_answer_head(lines, self._limits)
        self._go_on_behind(head)
        return head, position

    def _look_at_beginning(self, data: bytes) -> None:
        """Whoever speaks another protocol may never end a head."""
        self._beginning += data[: len(_BEGINNING) - len(self._beginning)]
        if not _BEGINNING.startswith(self._beginning):
            raise MalformedError("another protocol")

    def _go_on_behind(self, head: AnswerHead) -> None:
        self._keeps_alive = head.keeps_alive
        if head.is_interim:
            self._interim += 1
            if self._interim == _MOST_INTERIM_ANSWERS:
                raise MalformedError("nothing but interim answers")
        elif head.status == SWITCHING:
            self._next = _SWITCHED
        elif self._to_head or head.status in WITHOUT_BODY or head.length == 0:
            self._next = _NOTHING
        elif head.length is not None:
            self._left = head.length
            self._next = _COUNTED
        elif head.is_chunked:
            self._chunks = ChunkedBody(self._limits)
            self._next = _CHUNKS
        else:
            self._keeps_alive = False
            self._next = _REST


def parse_answer_head(lines: bytes, limits: FieldLimits) -> AnswerHead:
    """A head from its lines, without the empty one. Raises `MalformedError`."""
    start = _STATUS_LINE.match(lines)
    if start is None:
        raise MalformedError("a status line that is none")
    status = int(start[2])
    headers = parse_fields(lines[start.end() :], limits)
    lengths: list[bytes] = []
    codings: list[bytes] = []
    options: list[bytes] = []
    for name, value in headers:
        match name.lower():
            case b"content-length":
                lengths.append(value)
            case b"transfer-encoding":
                codings.append(value.lower())
            case b"connection":
                options += [option.strip(b"\t ") for option in value.lower().split(b",")]
    if len(lengths) + len(codings) > 1:
        raise MalformedError("more than one framing")
    if codings and (codings != [b"chunked"] or start[1] == b"0"):
        raise MalformedError("a transfer coding that leaves the end open")
    length = _length(lengths[0]) if lengths else None
    if (codings or length) and (status < _FINAL or status == 204):
        raise MalformedError("a body where there must be none")
    keeps_alive = b"close" not in options and (start[1] == b"1" or b"keep-alive" in options)
    return AnswerHead(status, start[3] or b"", b"1." + start[1], headers, length, bool(codings), keeps_alive)


def _length(written: bytes) -> int:
    if not written.isdigit() or len(written) > _LONGEST_LENGTH:
        raise MalformedError("a length that is none")
    return int(written)
