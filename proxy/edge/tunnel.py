"""A WebSocket through Sunset: bytes both ways, once both sides have agreed to speak no more HTTP (RFC 6455 section 4).

Only an upgrade to `websocket` is passed on, and only what the origin itself has answered with 101 becomes a tunnel: to
believe the client alone would let it send whatever it likes past the rules. Each direction goes at the pace of the
slower side, and ends by itself: who has said all may still listen. Where TLS has no such half-closed state, the tunnel
ends with the first end.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import ClientError
from aiohttp.http import HttpVersion11

from proxy.edge.deadline import Deadline
from proxy.edge.origins.faults import UpstreamError
from proxy.wire.head import values_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from proxy.edge.origins.exchange import Exchange
    from proxy.edge.request import Request
    from proxy.wire.head import Header

SWITCHED: Final[tuple[Header, ...]] = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
"""What both heads say, each to its neighbour."""


def asks_for_websocket(request: Request) -> bool:
    """Whether a request is an opening handshake (RFC 6455 section 4.1) on a connection that can switch after it."""
    return (
        request.can_switch
        and request.method == b"GET"
        and request.version == HttpVersion11
        and not request.has_body
        and is_to_websocket(request.headers)
        and len(values_of(b"sec-websocket-key", request.headers)) == 1
    )


def is_to_websocket(headers: Sequence[Header]) -> bool:
    """Whether a head, of a request or of an answer of 101, names that protocol and no other."""
    protocols = [value.strip().lower() for value in values_of(b"upgrade", headers)]
    if protocols != [b"websocket"]:
        return False
    options = b",".join(values_of(b"connection", headers)).lower().split(b",")
    return b"upgrade" in [option.strip() for option in options]


class Sink(Protocol):
    """One side of a tunnel, to be told something."""

    async def write(self, data: bytes) -> None:
        """Send it, at that side's pace."""
        ...

    def end(self) -> bool:
        """Say that there is no more. Tells whether that side, which hears it, can go on."""
        ...


class Tunnel:
    """A client and an origin that have switched protocols. `idle` is in seconds: for so long neither may say nothing.

    It owns the exchange, and closes it.
    """

    def __init__(self, request: Request, exchange: Exchange, idle: float) -> None:
        self._request = request
        self._exchange = exchange
        self._idle = idle
        self._from_client = request.switch()
        self._deadline = Deadline(self._expired)
        self._carriers: tuple[asyncio.Task[bool], ...] = ()

    async def run(self) -> None:
        """Carry bytes until both sides have ended, or one is lost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                up = tasks.create_task(self._carry(self._from_client.readany, self._exchange))
                down = tasks.create_task(self._carry(self._exchange.read, self._request))
                up.add_done_callback(lambda _: self._ended(up, down))
                down.add_done_callback(lambda _: self._ended(down, up))
                self._carriers = (up, down)
                self._deadline.set(self._idle)
        finally:
            self._deadline.cancel()
            self._exchange.close(clean=False)

    async def _carry(self, read: Callable[[], Awaitable[bytes]], sink: Sink) -> bool:
        """One direction, to its end. Says whether the other one may go on."""
        try:
            while chunk := await read():
                self._deadline.set(self._idle)
                await sink.write(chunk)
                self._deadline.set(self._idle)
            return sink.end()
        except (ClientError, UpstreamError, OSError):
            return False

    def _ended(self, one: asyncio.Task[bool], other: asyncio.Task[bool]) -> None:
        if one.cancelled() or one.exception() is not None or one.result():
            return
        other.cancel()

    def _expired(self) -> None:
        """Nobody says anything any more."""
        self._request.abort()
        for carrier in self._carriers:
            carrier.cancel()
