"""Clients' connections: aiohttp's protocol with its edges made safe (RFC 9112 sections 2.2, 9.3 and 9.6).

This is where every request is answered that the front door (`door`) does not answer itself. aiohttp parses and keeps
connections alive. Its own ways with malformed requests are replaced: it answers them by echoing what it could not
parse, and logs each with a traceback; here they get a few fixed bytes and a sampled line. A client that has shut down
its sending side still gets the answers that it asked for. Where a request is granted another protocol, its connection
leaves the parser by `switch`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD

from proxy.core.decision import BadRequest, Outcome
from proxy.edge.clients import peer_of
from proxy.edge.inflow import Inflow
from proxy.edge.request import Request
from proxy.edge.tls.certificate import presented
from proxy.edge.trust import Trust
from proxy.wire.answer import headers_of
from proxy.wire.chunks import ChunkedBody, chunk, last_chunk
from proxy.wire.fields import FieldLimits
from proxy.wire.forwarded import Provenance
from proxy.wire.head import response_head
from proxy.wire.malformed import MalformedError
from proxy.wire.request_head import HeadError, end_of_head, without_blank_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiohttp import StreamReader
    from aiohttp.web_request import BaseRequest

    from proxy.edge.clients import Clients
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Limits, Settings
    from proxy.edge.counts import Counts
    from proxy.edge.log import Sampled
    from proxy.edge.tls.certificate import Certificate
    from proxy.wire.head import Header
    from proxy.wire.proxy_protocol import Introduction

_INTERNAL_ERROR = 500
_TOO_MANY_FIELDS = "Too many headers received"


class Sent(web.StreamResponse):
    """What aiohttp is told of an answer that is already on its way: whether the connection goes on.

    Where it does not and `lingers`, the client is given time to read the answer before anything is torn down.
    """

    def __init__(self, *, keep_alive: bool, lingers: bool = False) -> None:
        self._keep_alive = keep_alive
        self.lingers = lingers

    async def prepare(self, request: BaseRequest) -> None:
        """The head is sent."""

    async def write_eof(self, data: bytes = b"") -> None:
        """The body is sent."""


KEEP = Sent(keep_alive=True)
CLOSE = Sent(keep_alive=False)
LINGER = Sent(keep_alive=False, lingers=True)


def bad_request_bytes(decision: BadRequest, date: bytes, *, with_body: bool = True) -> bytes:
    """The whole answer to a malformed request: fixed, short, the last one on its connection."""
    body = b"%d %b\n" % (decision.status, decision.reason.encode())
    fields = [
        (b"Date", date),
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
        *headers_of(decision, secure=False),
    ]
    return response_head(decision.status, fields) + (body if with_body else b"")


class Hall(web.Server):
    """Makes a `Connection` of every connection that does not end at the front door."""

    def __init__(
        self,
        handle: Callable[[Request], Awaitable[Sent]],
        *,
        settings: Settings,
        clock: Clock,
        counts: Counts,
        sampled: Sampled,
        clients: Clients,
    ) -> None:
        # A client that goes away cancels its request, so that the origin's connection is not held for nobody.
        super().__init__(cast("Any", handle), request_factory=cast("Any", Request), handler_cancellation=True)
        self.settings = settings
        self.clock = clock
        self.counts = counts
        self.sampled = sampled
        self.clients = clients
        self.trust = Trust(settings)

    def __call__(self, introduction: Introduction | None = None) -> Connection:
        """The protocol of a connection, perhaps with what a balancer has said of the client."""
        return Connection(self, self._loop, introduction)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """A connection has ended."""
        super().connection_lost(handler, exc)
        self._connections.pop(handler, None)


class Connection(web.RequestHandler):
    """One client's connection.

    aiohttp's parser is given one request at a time: its head as a whole, then its body, and the next head only when the
    answer is complete. So every byte is known to be of a head, of a body, or of what comes after.
    """

    __slots__ = (
        "_answering",
        "_body",
        "_body_bytes",
        "_body_seconds",
        "_chunks",
        "_deaf",
        "_entered",
        "_half_closed",
        "_hall",
        "_head_since",
        "_inbox",
        "_inflow",
        "_introduction",
        "_is_trusted",
        "_left",
        "_left_of_body",
        "_own",
        "_searched",
        "_stuck_since",
        "_unsent",
        "certificate",
        "peer",
        "secure",
        "trailers",
    )

    def __init__(self, hall: Hall, loop: asyncio.AbstractEventLoop, introduction: Introduction | None = None) -> None:
        limits, timeouts = hall.settings.limits, hall.settings.timeouts
        super().__init__(
            hall,
            loop=loop,
            access_log=cast("Any", None),
            auto_decompress=False,  # bodies are relayed as they came
            keepalive_timeout=timeouts.keep_alive,
            lingering_time=timeouts.unread,
            max_line_size=limits.target,
            max_field_size=limits.field,
            max_headers=limits.fields,
            read_bufsize=limits.buffer,
        )
        self._hall = hall
        self._introduction = introduction
        self._is_trusted = False
        self._inbox = b""
        """What has come, and is not for the parser yet."""
        self._head_since = 0
        """The tick in which the head began that is not whole yet."""
        self._searched = 0
        """How much of that head was looked at."""
        self._answering = False
        """Whether a request is under way, from its head to the end of its answer."""
        self._left = limits.requests
        """Requests until the connection is closed."""
        self._body: StreamReader = EMPTY_PAYLOAD
        """The body of the request that is under way, or was the last."""
        self._left_of_body = 0
        self._chunks: ChunkedBody | None = None
        self._body_bytes = 0
        """How much of a body came in the last seconds, and"""
        self._body_seconds = 0
        """in how many."""
        self._deaf = False
        """Whether what the client says is not listened to any more."""
        self._half_closed = False
        self._inflow: Inflow | None = None
        self._unsent = 0
        """How much the client had not taken when it was last looked at, and"""
        self._stuck_since = 0
        """since when that is so."""
        self.peer = ""
        self.secure = False
        self.certificate: Certificate | None = None
        self.trailers: Sequence[Header] = ()
        """The trailers of the request that is under way, once its body is complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected, where there is no front door."""
        said = self._introduction
        self.peer = (said and said.peer) or peer_of(transport)
        if self._hall.clients.admit(self):
            self.enter(transport, self.peer, self._left, self._hall.clients.tick)
        else:
            cast("asyncio.Transport", transport).abort()

    def enter(self, transport: asyncio.BaseTransport, peer: str, left: int, tick: int) -> None:
        """Begin. `left` is how many requests the connection may still have, `tick` when the next one began."""
        self._entered = tick
        self.peer = peer
        self.secure = transport.get_extra_info("sslcontext") is not None
        self.certificate = presented(transport)
        self._left = left
        said = self._introduction
        self._own = Provenance(peer, self.secure or (said is not None and said.secure))
        self._is_trusted = self._hall.trust.believes(peer, said)
        super().connection_made(transport)

    def provenance(self, headers: tuple[Header, ...]) -> Provenance:
        """Where a request with those fields comes from."""
        return self._hall.trust.provenance(self._own, headers) if self._is_trusted else self._own

    def data_received(self, data: bytes) -> None:
        """Bytes of a client; none where aiohttp goes on with what it has already."""
        if not data or self._inflow is not None:
            super().data_received(data)
        elif not self._deaf:
            self._inbox += data
            self._go_on()

    def _go_on(self) -> None:
        """Give the parser what it can have of the inbox."""
        try:
            while self._inbox and not self._close and not self._deaf:
                if self._left_of_body or self._chunks is not None:
                    self._take_body()
                elif self._answering:
                    if len(self._inbox) >= self._read_bufsize:
                        self._pause_reading_for_buffer()
                    return
                elif not self._take_head():
                    return
        except HeadError as error:
            self._end_badly(error.status, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, a client's bytes brought it about
            self._end_badly(400, error)

    def _take_head(self) -> bool:
        """Give the parser a head. Whether there was a whole one. Raises `HeadError`."""
        limits = self._hall.settings.limits
        inbox = without_blank_lines(self._inbox)
        end = end_of_head(inbox, self._searched, longest=limits.head, longest_target=limits.target)
        self._inbox, self._searched = inbox[end:], 0 if end else len(inbox)
        if not end:
            self._head_since = (self._head_since or self._entered or self._hall.clients.tick) if inbox else 0
            return False
        self._head_since = self._entered = 0
        self._answering = True
        self._left -= 1
        super().data_received(inbox[:end])
        message, self._body = self._messages[-1]
        if isinstance(message, RawRequestMessage):
            self._expect_body(message)
        else:
            self._deaf = True  # it was refused, and nobody knows what the rest is
        return True

    def _expect_body(self, message: RawRequestMessage) -> None:
        self.trailers = ()
        self._body_bytes = self._body_seconds = 0
        limits = self._hall.settings.limits
        if message.chunked:
            self._chunks = ChunkedBody(FieldLimits(line=limits.field, lines=limits.fields, section=limits.head))
        else:
            self._left_of_body = int(message.headers.get(hdrs.CONTENT_LENGTH, "0"))

    def _take_body(self) -> None:
        """Give the parser what there is of a body: of one in chunks the content, in chunks without trailers."""
        if self._chunks is None:
            length = min(len(self._inbox), self._left_of_body)
            self._left_of_body -= length
            content = self._inbox[:length]
        else:
            try:
                pieces, length = self._chunks.feed(self._inbox)
            except MalformedError:
                self._spoil_body()
                return
            content = b"".join(map(chunk, pieces))
            if self._chunks.complete:
                content += last_chunk(())
                self.trailers = self._chunks.trailers
                self._chunks = None
        self._inbox = self._inbox[length:]
        self._body_bytes += length
        super().data_received(content)
        if self._messages and not isinstance(self._messages[-1][0], RawRequestMessage):
            self._spoil_body()  # aiohttp would let him wait who reads it

    def _spoil_body(self) -> None:
        """What came as a body is none."""
        self._deaf = True
        self._inbox = b""
        if not self._body.is_eof():
            self._body.set_exception(web.RequestPayloadError("malformed"))

    @property
    def is_retired(self) -> bool:
        """Whether the answer that is under way is the last one."""
        return self._close or self._left <= 0

    @property
    def can_switch(self) -> bool:
        """Whether nothing but another protocol can come behind the request that is answered now."""
        return self._upgraded and self._inflow is None

    def switch(self) -> StreamReader:
        """Leave HTTP behind. Gives what comes from now on, and what came already behind the request."""
        self._inflow = inflow = Inflow(self, self._hall.settings.limits.buffer)
        self._close = False  # or what the client says would be thrown away while the server stops
        self.set_parser(cast("Any", inflow))
        if self._inbox:
            inflow.feed_data(self._inbox)
            self._inbox = b""
        if self._buffer_paused:
            self._resume_reading_for_buffer()
        if self._half_closed or self.transport is None:
            inflow.feed_eof()
        return inflow.stream

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client is gone."""
        if exc is not None and self._inflow is not None:
            self._inflow.break_off(exc)
        super().connection_lost(exc)
        self._hall.clients.left(self)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends no more. True keeps our side open for the answers to what it has asked."""
        if self._inflow is not None:
            self._inflow.feed_eof()
            return None if self.secure else True
        if self.secure or self._close or not self._answering:
            return None
        if self._left_of_body or self._chunks is not None:
            self._spoil_body()
        self._half_closed = True
        return True

    # What `Clients` asks

    def look(self, tick: int) -> None:
        """Close where the client takes too long for a head, for a body, or to take its answer."""
        transport, timeouts = self.transport, self._hall.settings.timeouts
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._stuck_since = unsent, tick
        elif tick - self._stuck_since > timeouts.taking:
            transport.abort()
            return
        if self._head_since and not self._answering and tick - self._head_since > timeouts.head:
            self._end_badly(408, HeadError(408, "request head too slow"))
        elif (self._left_of_body or self._chunks is not None) and not self._reading_paused:
            self._look_at_body()

    def _look_at_body(self) -> None:
        """Give up on a body that drips. Seconds in which nobody wanted more of it do not count."""
        limits, timeouts = self._hall.settings.limits, self._hall.settings.timeouts
        self._body_seconds += 1
        if self._body_seconds < timeouts.body_rate:
            return
        if self._body_bytes < limits.body_rate * self._body_seconds and not self._body.is_eof():
            self._deaf = True
            self._body.set_exception(TimeoutError("request body too slow"))
        self._body_bytes = self._body_seconds = 0

    def conclude(self) -> None:
        """Let one more answer be the last."""
        self._left = 0 if self._answering else min(self._left, 1)

    def retire(self) -> None:
        """Close once the answer under way has ended, at once if there is none; a tunnel goes on until it is cut off."""
        if self._inflow is not None:
            return
        if self._answering:
            self.close()
        else:
            self.force_close()

    def cut_off(self) -> asyncio.Task[None] | None:
        """End the connection now. Gives the task that will end with it."""
        task = self._task_handler
        if self.transport is not None:
            self.transport.abort()
        return task

    # What aiohttp asks

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """The answer is on its way; see to the connection."""
        finished = await super().finish_response(request, resp, start_time)
        if isinstance(resp, Sent) and resp.lingers and not self._half_closed:
            await self._linger()
        elif resp.keep_alive:
            self._answering = False
            self._go_on()
            if self._half_closed and not self._answering:
                self.close()
            elif self._half_closed and (self._left_of_body or self._chunks is not None):
                self._spoil_body()  # of the next request, whose rest will not come
            elif self._buffer_paused and len(self._inbox) < self._read_bufsize:
                self._resume_reading_for_buffer()
        return finished

    def handle_error(
        self,
        request: BaseRequest,
        status: int = _INTERNAL_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds what could not be parsed, and is nobody's to read
    ) -> web.StreamResponse:
        """The end of a request that could not be parsed, or that a fault of our own has hit."""
        if status == _INTERNAL_ERROR or exc is None:
            return self._failed(cast("Request", request), exc)
        self._refuse(_status_of(exc, self._hall.settings.limits), exc)
        return LINGER

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ANN401 - as aiohttp has it
        """A fault of our own, on a line that is sampled."""
        error = kw.get("exc_info")
        if isinstance(error, web.RequestPayloadError | TimeoutError):  # an unwanted body, while its rest was read away
            self._hall.sampled.warning("malformed request:", f"body from {self.peer}")
        else:
            self._hall.sampled.warning("internal error:", str(args[0]) if args else "", error=error)

    def _refuse(self, status: int, error: BaseException) -> None:
        hall = self._hall
        decision = BadRequest(status, _REASONS[status])
        hall.counts.tally(None, Outcome.BAD_REQUEST, status).count += 1
        hall.sampled.warning("malformed request:", f"{status} {type(error).__name__} from {self.peer}")
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(bad_request_bytes(decision, hall.clock.date()))

    def _end_badly(self, status: int, error: BaseException) -> None:
        """Refuse what came where no request of it is under way."""
        self._deaf = True
        self._inbox, self._head_since = b"", 0
        self._refuse(status, error)
        transport = self.transport
        if transport is not None and transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            self._loop.call_later(self._hall.settings.timeouts.linger, self.force_close)
        else:
            self.force_close()

    def _failed(self, request: Request, error: BaseException | None) -> Sent:
        self._hall.sampled.warning("internal error:", error=error)
        if request.began:
            request.abort()
        elif self.transport is not None and not self.transport.is_closing():
            decision = BadRequest(_INTERNAL_ERROR, _REASONS[_INTERNAL_ERROR])
            self.transport.write(bad_request_bytes(decision, self._hall.clock.date()))
        return CLOSE

    async def _linger(self) -> None:
        """Let the client read: to close a socket with unread bytes resets it, and the answer may be lost with that."""
        self.close()  # whatever comes now is read and thrown away
        transport = self.transport
        if transport is not None and transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            await asyncio.sleep(self._hall.settings.timeouts.linger)  # cancelled when the client closes


_REASONS = {
    400: "malformed request",
    408: "request head too slow",
    414: "request target too long",
    431: "header fields too large",
    _INTERNAL_ERROR: "internal error",
}


def _status_of(error: BaseException, limits: Limits) -> int:
    match error:
        case LineTooLong(args=(_, limit, *_)) if limit == limits.target:
            return 414
        case LineTooLong():
            return 431
        case BadHttpMessage(args=(str(text),)) if text == _TOO_MANY_FIELDS:
            return 431
        case _:
            return 400
