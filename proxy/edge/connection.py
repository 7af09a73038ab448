"""Clients' connections: aiohttp's protocol with its edges made safe (RFC 9112 sections 2.2, 9.3 and 9.6).

aiohttp parses and keeps connections alive. Its own ways with malformed requests are replaced: it answers them by
echoing what it could not parse, and logs each with a traceback; here they get a few fixed bytes and a sampled line. A
client that has shut down its sending side still gets the answers that it asked for. Where a request is granted another
protocol, its connection leaves the parser by `switch`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD

from proxy.core.decision import BadRequest, Outcome
from proxy.edge.certificate import presented
from proxy.edge.inflow import Inflow
from proxy.edge.request import Request
from proxy.wire.answer import headers_of
from proxy.wire.head import response_head

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import StreamReader
    from aiohttp.web_request import BaseRequest

    from proxy.edge.certificate import Certificate
    from proxy.edge.clock import Clock
    from proxy.edge.counts import Counts
    from proxy.edge.log import Sampled
    from proxy.edge.settings import Limits, Settings

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


class Listener(web.Server):
    """Makes a `Connection` of every accepted socket, and knows all that are open."""

    def __init__(
        self,
        handle: Callable[[Request], Awaitable[Sent]],
        *,
        settings: Settings,
        clock: Clock,
        counts: Counts,
        sampled: Sampled,
    ) -> None:
        # A client that goes away cancels its request, so that the origin's connection is not held for nobody.
        super().__init__(cast("Any", handle), request_factory=cast("Any", Request), handler_cancellation=True)
        self.settings = settings
        self.clock = clock
        self.counts = counts
        self.sampled = sampled
        self._all_gone: asyncio.Event | None = None

    def __call__(self) -> Connection:
        """The protocol of a socket that was just accepted."""
        return Connection(self, self._loop)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """A connection has ended."""
        super().connection_lost(handler, exc)
        self._connections.pop(handler, None)
        if self._all_gone is not None and not self._connections:
            self._all_gone.set()

    async def drain(self, seconds: float) -> None:
        """Close idle connections, let answers that are under way end within `seconds`, then cut the rest off."""
        self._all_gone = asyncio.Event()
        if not self._connections:
            return
        for connection in self.connections:
            cast("Connection", connection).retire()
        try:
            async with asyncio.timeout(seconds):
                await self._all_gone.wait()
        except TimeoutError:
            self.sampled.warning("stopping with answers under way:", f"{len(self._connections)} connections cut off")
            tasks = [task for connection in self.connections if (task := cast("Connection", connection).cut_off())]
            await asyncio.wait(tasks, timeout=1.0)


class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ("_half_closed", "_inflow", "_last_body", "_listener", "_strays", "certificate", "peer", "secure")

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        limits, timeouts = listener.settings.limits, listener.settings.timeouts
        super().__init__(
            listener,
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
        self._listener = listener
        self._half_closed = False
        self._inflow: Inflow | None = None
        self._last_body: StreamReader = EMPTY_PAYLOAD
        self._strays = False
        self.peer = ""
        self.secure = False
        self.certificate: Certificate | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer = str(peer[0])
        self.secure = transport.get_extra_info("sslcontext") is not None
        self.certificate = presented(transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of a client. What the parser fails at, rather than refuses, is malformed all the same."""
        try:
            super().data_received(data)
            self._look_at_last()
            if self._strays and self._last_body.is_eof():
                # The parser throws away what came with such a request, be it half of the next: the rest is no request.
                self._close = True
        except Exception as error:  # noqa: BLE001 - whatever it is, a client's bytes brought it about
            self._refuse(400, error, silently=self._current_request is not None)
            if self.transport is not None:
                self.transport.close()

    @property
    def is_retired(self) -> bool:
        """Whether the answer that is under way is the last one."""
        return self._close

    @property
    def can_switch(self) -> bool:
        """Whether nothing but another protocol can come behind the request that is answered now."""
        return self._upgraded and not self._messages and self._inflow is None

    def switch(self) -> StreamReader:
        """Leave HTTP behind. Gives what comes from now on, and what came already behind the request."""
        self._inflow = inflow = Inflow(self, self._listener.settings.limits.buffer)
        self._close = False  # or what the client says would be thrown away while the server stops
        self.set_parser(cast("Any", inflow))
        if self._half_closed or self.transport is None:
            inflow.feed_eof()
        return inflow.stream

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client is gone."""
        if exc is not None and self._inflow is not None:
            self._inflow.break_off(exc)
        super().connection_lost(exc)

    def retire(self) -> None:
        """Close once the answer under way has ended, at once if there is none; a tunnel goes on until it is cut off."""
        if self._inflow is not None:
            return
        if self._is_idle:
            self.force_close()
        else:
            self.close()

    def cut_off(self) -> asyncio.Task[None] | None:
        """End the connection now. Gives the task that will end with it."""
        task = self._task_handler
        if self.transport is not None:
            self.transport.abort()
        return task

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends no more. True keeps our side open for the answers to complete requests."""
        if self._inflow is not None:
            self._inflow.feed_eof()
            return None if self.secure else True
        if self.secure or self._close or self._is_idle or not self._last_body.is_eof():
            return None
        self._half_closed = True
        return True

    @property
    def _is_idle(self) -> bool:
        """Whether no request is there to be answered."""
        return self._waiter is not None and not self._waiter.done()

    def _look_at_last(self) -> None:
        """Remember the body of the last request; where what follows cannot be parsed, tell whoever reads that body.

        aiohttp would let him wait.
        """
        if not self._messages:
            return
        message, body = self._messages[-1]
        if isinstance(message, RawRequestMessage):
            self._last_body = body
            self._strays = message.upgrade and not _is_kept(message)
        elif not self._last_body.is_eof():
            self._last_body.set_exception(web.RequestPayloadError("malformed"))

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """The answer is on its way; see to the connection."""
        finished = await super().finish_response(request, resp, start_time)
        self._look_at_last()  # an upgrade that was not granted: what came behind it is parsed only now
        if self._half_closed and not self._messages:
            self.close()
        if isinstance(resp, Sent) and resp.lingers and not self._half_closed:
            await self._linger()
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
        self._refuse(_status_of(exc, self._listener.settings.limits), exc)
        return LINGER

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ANN401 - as aiohttp has it
        """A fault of our own, on a line that is sampled."""
        error = kw.get("exc_info")
        if isinstance(error, web.RequestPayloadError):  # an unwanted body, while the rest of it was read away
            self._listener.sampled.warning("malformed request:", f"body from {self.peer}")
        else:
            self._listener.sampled.warning("internal error:", str(args[0]) if args else "", error=error)

    def _refuse(self, status: int, error: BaseException, *, silently: bool = False) -> None:
        listener = self._listener
        decision = BadRequest(status, _REASONS[status])
        listener.counts.answered(listener.counts.tally(None, Outcome.BAD_REQUEST, status), 0.0)
        listener.sampled.warning("malformed request:", f"{status} {type(error).__name__} from {self.peer}")
        if self.transport is not None and not self.transport.is_closing() and not silently:
            self.transport.write(bad_request_bytes(decision, listener.clock.date()))

    def _failed(self, request: Request, error: BaseException | None) -> Sent:
        listener = self._listener
        listener.sampled.warning("internal error:", error=error)
        if request.began:
            request.abort()
        elif self.transport is not None and not self.transport.is_closing():
            decision = BadRequest(_INTERNAL_ERROR, _REASONS[_INTERNAL_ERROR])
            self.transport.write(bad_request_bytes(decision, listener.clock.date()))
        return CLOSE

    async def _linger(self) -> None:
        """Let the client read: to close a socket with unread bytes resets it, and the answer may be lost with that."""
        self.close()  # whatever comes now is read and thrown away
        transport = self.transport
        if transport is not None and transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            await asyncio.sleep(self._listener.settings.timeouts.linger)  # cancelled when the client closes


_REASONS = {
    400: "malformed request",
    414: "request target too long",
    431: "header fields too large",
    _INTERNAL_ERROR: "internal error",
}


def _is_kept(message: RawRequestMessage) -> bool:
    """Whether aiohttp's parser, asked for another protocol, keeps what comes behind the request."""
    return message.method == "CONNECT" or message.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


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
