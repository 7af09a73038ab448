"""A WebSocket through Sunset: bytes both ways, once both sides have agreed to speak no more HTTP (RFC 6455 section 4).

Only an upgrade to `websocket` is passed on, and only what the origin itself has answered with 101 becomes a tunnel: to
believe the client alone would let it send whatever it likes past the rules. Each direction goes at the pace of the
slower side, and ends by itself: who has said all may still listen. Where TLS has no such half-closed state, the tunnel
ends with the first end.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import ClientError
from aiohttp.http import HttpVersion11

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import StreamReader
    from aiohttp.http import StreamWriter

    from proxy.edge.request import Request
    from proxy.edge.upstream import Exchange, OriginAnswer
    from proxy.wire.head import Header

SWITCHING: Final = 101
SWITCHED: Final[tuple[Header, ...]] = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
"""What both heads say, each to its neighbour."""


def asks_for_websocket(request: Request) -> bool:
    """Whether a request is an opening handshake (RFC 6455 section 4.1) on a connection that can switch after it."""
    return (
        request.method == b"GET"
        and request.version == HttpVersion11
        and not request.has_body
        and _is_to_websocket(request.headers)
        and len(_values(request.headers, b"sec-websocket-key")) == 1
        and request.can_switch
    )


def is_granted(answer: OriginAnswer) -> bool:
    """Whether an answer of 101 is to such a request."""
    return answer.status == SWITCHING and _is_to_websocket(answer.headers)


def _is_to_websocket(headers: Sequence[Header]) -> bool:
    options = b",".join(_values(headers, b"connection")).lower().split(b",")
    protocols = [value.strip().lower() for value in _values(headers, b"upgrade")]
    return protocols == [b"websocket"] and b"upgrade" in [option.strip() for option in options]


def _values(headers: Sequence[Header], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]


class Tunnel:
    """A client and an origin that have switched protocols. `idle` is in seconds: for so long neither may say nothing.

    It owns the exchange, and closes it.
    """

    def __init__(self, request: Request, exchange: Exchange, idle: float) -> None:
        self._request = request
        self._exchange = exchange
        self._idle = idle
        self._from_client = request.switch()
        self._from_origin = exchange.switch()

    async def run(self) -> None:
        """Carry bytes until both sides have ended, or one is lost."""
        try:
            async with asyncio.timeout(self._idle) as deadline, asyncio.TaskGroup() as tasks:
                client, origin = self._request.writer, self._exchange.writer
                up = tasks.create_task(self._carry(self._from_client, origin, deadline))
                down = tasks.create_task(self._carry(self._from_origin, client, deadline))
                up.add_done_callback(lambda _: self._ended(up, down))
                down.add_done_callback(lambda _: self._ended(down, up))
        except TimeoutError:
            self._request.abort()
        finally:
            self._exchange.close(clean=False)

    async def _carry(self, source: StreamReader, sink: StreamWriter, deadline: asyncio.Timeout) -> bool:
        """One direction, to its end. Says whether the other one may go on."""
        clock = asyncio.get_running_loop().time
        try:
            while chunk := await source.readany():
                deadline.reschedule(clock() + self._idle)
                await sink.write(chunk)
                deadline.reschedule(clock() + self._idle)
            transport = sink.transport
            if transport is None or not transport.can_write_eof():
                return False
            transport.write_eof()
        except (ClientError, OSError):
            return False
        return True

    def _ended(self, one: asyncio.Task[bool], other: asyncio.Task[bool]) -> None:
        if one.cancelled() or one.exception() is not None or one.result():
            return
        other.cancel()
