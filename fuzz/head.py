"""Requests at the front door and on the full path: the same bytes get the same answers, however they are cut.

Both are those of a server, less its sockets: a transport in memory hands over what a client says, then that it says no
more, and keeps what is answered until its end.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser

from fuzz.cutting import pieces, ways
from fuzz.sites import INSTANTS, RULES
from proxy.core.model import Origin
from proxy.edge.configuration.settings import Settings, Timeouts
from proxy.edge.log import log
from proxy.edge.server import Server
from proxy.rulebook.load import load
from proxy.wire.fields import FieldLimits
from proxy.wire.origin_answer import AnswerHead, AnswerParser
from proxy.wire.plain_head import BEHIND_TARGET, PLAIN_FIELDS
from proxy.wire.request_head import HeadError, end_of_head

_DATE = re.compile(rb"\r\nDate: [^\r]*")
_REFUSAL = re.compile(rb"HTTP/1\.1 4(?:00|14|31) .*", re.DOTALL)
"""The last answer to who is malformed; what is told as its reason may depend on how much has come."""
_LONGEST = 8190
_LIMITS = FieldLimits(line=_LONGEST, lines=128, section=2 * _LONGEST)
_LONGEST_HEAD = 1000
_LONGEST_TARGET = 300
_REFUSED = re.compile(rb"[^\t\n\r -~\x80-\xff]|(?<!\r)\n|\r(?!\n)|[^\r\n]{%d}" % _LONGEST_TARGET)
"""What is refused once it is seen: by the front door before a head has ended, else by those who read it."""
_MOST_TURNS = 5000
"""Turns of the event loop until a connection must have ended: nothing here has to be waited for."""


def end(data: bytes) -> None:
    """A head ends at one place however it is cut, or is refused before it has come; none is waited for without end."""
    said, others = ways(data)
    whole = _end([said])
    assert whole is not None or len(said) <= _LONGEST_HEAD
    for cut in others:
        found = _end(cut)
        assert found == whole or (found == 0 and _REFUSED.search(said, 0, whole or len(said)))


def head(data: bytes) -> None:
    """With the front door and without it a client is answered the same, in whole answers, and is never left waiting."""
    said, cut = pieces(data)
    stage = _stage()
    stage.check_plain(said)
    whole = stage.answers(said, [said], front_door=True)
    assert stage.answers(said, [said], front_door=False) == whole
    if len(cut) > 1:
        in_pieces = stage.answers(said, cut, front_door=True)
        without_door = stage.answers(said, cut, front_door=False)
        assert len({_REFUSAL.sub(b"refused", each) for each in (whole, in_pieces, without_door)}) == 1


def _end(cut: list[bytes]) -> int | None:
    """Where the first head ends: 0 where it is none, `None` where more is waited for."""
    said = b""
    for piece in cut:
        seen, said = len(said), said + piece
        try:
            found = end_of_head(said, seen, longest=_LONGEST_HEAD, longest_target=_LONGEST_TARGET)
        except HeadError:
            return 0
        if found:
            return found
    return None


class _Line(asyncio.Transport):
    """A connection in memory."""

    def __init__(self, protocols: Callable[..., asyncio.Protocol]) -> None:
        super().__init__({"peername": ("192.0.2.1", 1024)})
        self.answered = b""
        self.has_ended = False
        """Whether nothing more is answered."""
        self._protocols = protocols
        self._protocol: asyncio.Protocol
        self._is_closing = False

    def begin(self) -> None:
        self._protocol = self._protocols()
        self._protocol.connection_made(self)

    def say(self, data: bytes) -> None:
        if not self._is_closing:
            self._protocol.data_received(data)

    def say_no_more(self) -> None:
        if not self._is_closing and not self._protocol.eof_received():
            self.close()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.has_ended, "an answer behind the end"
        self.answered += data

    def write_eof(self) -> None:
        self.has_ended = True

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.has_ended = True
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._is_closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def get_write_buffer_size(self) -> int:
        return 0


class _Faults(logging.Handler):
    """What is logged as a fault of our own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or "internal error" in record.getMessage():
            self.seen.append(self.format(record))


@contextmanager
def _no_faults() -> Iterator[None]:
    """Nothing is to be logged as one: a door hides its own, as it hands the request on."""
    faults = _Faults()
    log.addHandler(faults)
    try:
        yield
    finally:
        log.removeHandler(faults)
    assert not faults.seen, faults.seen[0]


class _Stage:
    """Two servers without listeners, of which one has the front door, and an event loop."""

    def __init__(self) -> None:
        rulebook = load(RULES).with_origin(Origin("http", "127.0.0.1", 9))  # which nobody is to be forwarded to
        self._loop = asyncio.new_event_loop()
        self._protocols: dict[bool, Callable[..., asyncio.Protocol]] = {}
        self._servers: dict[bool, Server] = {}
        for front_door in (True, False):
            timeouts = Timeouts(log_line=1e-9, linger=0.01)
            settings = Settings(listen=(), admin=None, at=INSTANTS[-1], front_door=front_door, timeouts=timeouts)
            server = self._servers[front_door] = Server(rulebook, settings)
            self._protocols[front_door] = self._loop.run_until_complete(_started(server))

    def answers(self, said: bytes, cut: list[bytes], *, front_door: bool) -> bytes:
        """All that is answered to a client that says so much, and then no more."""
        line = _Line(self._protocols[front_door])
        with _no_faults():
            self._loop.run_until_complete(_talk(line, cut, self._servers[front_door]))
        answered = _DATE.sub(b"\r\nDate: now", line.answered)
        _check_answers(said, answered)
        return answered

    def check_plain(self, said: bytes) -> None:
        """Fields that are plain say to aiohttp what they say to the front door, and nothing of a body."""
        fields = said.partition(BEHIND_TARGET)[2]
        match = PLAIN_FIELDS.match(fields)
        if match is None or match.end() > _LONGEST:
            return
        plain = b"GET /" + BEHIND_TARGET + fields[: match.end()]
        assert end_of_head(plain, 0, longest=len(plain), longest_target=_LONGEST) == len(plain)
        parser = HttpRequestParser(
            BaseProtocol(self._loop), self._loop, 2**16, max_line_size=_LONGEST, max_field_size=_LONGEST
        )
        messages, is_upgraded, rest = parser.feed_data(plain)
        ((message, body),) = messages
        assert not is_upgraded
        assert not rest
        assert body.is_eof()
        assert not message.chunked
        assert [value for name, value in message.raw_headers if name.lower() == b"host"] == [match[2]]
        assert message.should_close == (match[3] is not None)


async def _started(server: Server) -> Callable[..., asyncio.Protocol]:
    """What makes protocols for the connections of a server, which runs from now on."""
    await server.start()
    return server._protocols[False]  # noqa: SLF001 - with its listeners one would have to talk by sockets


async def _talk(line: _Line, cut: list[bytes], server: Server) -> None:
    """From the beginning to the end of a connection."""
    line.begin()
    for piece in cut:
        line.say(piece)
        await asyncio.sleep(0)
    line.say_no_more()
    for _ in range(_MOST_TURNS):
        if line.has_ended:
            break
        await asyncio.sleep(0)
    assert line.has_ended, "the client waits for ever"
    line.close()
    for _ in range(_MOST_TURNS):
        if not len(server.clients) and len(asyncio.all_tasks()) == 1:
            break
        await asyncio.sleep(0)
    assert not len(server.clients)


def _check_answers(said: bytes, answered: bytes) -> None:
    """Nothing but whole answers, none of which says that something went wrong here."""
    while answered:
        head_end = answered.find(b"\r\n\r\n") + 4
        (answer,) = AnswerParser(_LIMITS, method=b"HEAD").feed(answered[:head_end])
        assert isinstance(answer, AnswerHead)
        assert 200 <= answer.status < 500, answer
        answered = answered[head_end:]
        if answer.length and not (b"HEAD " in said and (not answered or answered.startswith(b"HTTP/1.1 "))):
            assert len(answered) >= answer.length
            answered = answered[answer.length :]


@cache
def _stage() -> _Stage:
    return _Stage()
