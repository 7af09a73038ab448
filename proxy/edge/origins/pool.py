"""Connections to one origin that wait for their next request, and those who wait for a connection.

The connection that was used last is used first, so that the ones that are not needed fall idle, and are closed once
they have been so for `Timeouts.origin_keep_alive`; one timer looks after all of them. There are never more of them than
`Limits.origin_connections`. Who comes then waits in line, and is given the next one that is given back, or the place of
one that is gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.edge.origins.connection import OriginConnection


class Pool:
    """Keeps at most `most` connections, idle ones for `keep_alive` seconds.

    `dial` makes one, and has it tell the function that it is given when it is gone.
    """

    def __init__(
        self,
        dial: Callable[[Callable[[OriginConnection], None]], Awaitable[OriginConnection]],
        *,
        most: int,
        keep_alive: float,
    ) -> None:
        self._dial = dial
        self._most = most
        self._keep_alive = keep_alive
        self._all: set[OriginConnection] = set()
        self._idle: dict[OriginConnection, float] = {}
        """Since when, the one that has been so for the longest first."""
        self._places = 0
        """How many are taken: by connections, and by those who are making one."""
        self._line: deque[asyncio.Future[OriginConnection | None]] = deque()
        """Who waits; what each is given is a connection, or a place for one."""
        self._timer: asyncio.TimerHandle | None = None

    def take(self) -> OriginConnection | None:
        """The connection that was given back last, if one is idle."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_open:
                return connection
        return None

    async def wait(self) -> OriginConnection:
        """A connection, whenever there is one: a new one, or in its turn one that is given back.

        Raises `UpstreamError`.
        """
        if self._places < self._most:
            self._places += 1
        else:
            connection = await self._stand_in_line()
            if connection is not None:
                return connection
        return await self._connect()

    async def fresh(self) -> OriginConnection:
        """A connection on which there was no request. Raises `UpstreamError`."""
        if self._places < self._most:
            self._places += 1
        elif (connection := self.take() or await self._stand_in_line()) is not None:
            self._all.discard(connection)  # its place is ours
            connection.abort()
        return await self._connect()

    def give_back(self, connection: OriginConnection, reusable: bool) -> None:
        """The request on it is over."""
        if not reusable or not connection.is_open:
            connection.abort()
        elif (waiter := self._first_in_line()) is not None:
            waiter.set_result(connection)
        else:
            loop = asyncio.get_running_loop()
            self._idle[connection] = loop.time()
            if self._timer is None:
                self._timer = loop.call_later(self._keep_alive, self._close_idle)

    def close(self) -> None:
        """Close all of them."""
        if self._timer is not None:
            self._timer.cancel()
        for connection in tuple(self._all):
            connection.abort()

    async def _connect(self) -> OriginConnection:
        try:
            connection = await self._dial(self._lost)
        except BaseException:
            self._vacate()
            raise
        if connection.is_lost:  # no sooner made than gone; whoever writes on it will see
            self._vacate()
        else:
            self._all.add(connection)
        return connection

    async def _stand_in_line(self) -> OriginConnection | None:
        waiter: asyncio.Future[OriginConnection | None] = asyncio.get_running_loop().create_future()
        self._line.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with suppress(ValueError):
                    self._line.remove(waiter)
            elif (connection := waiter.result()) is not None:  # given up just when it was given
                self.give_back(connection, True)
            else:
                self._vacate()
            raise

    def _first_in_line(self) -> asyncio.Future[OriginConnection | None] | None:
        while self._line:
            waiter = self._line.popleft()
            if not waiter.done():
                return waiter
        return None

    def _vacate(self) -> None:
        """A place is free."""
        if (waiter := self._first_in_line()) is not None:
            waiter.set_result(None)
        else:
            self._places -= 1

    def _lost(self, connection: OriginConnection) -> None:
        self._idle.pop(connection, None)
        if connection in self._all:
            self._all.discard(connection)
            self._vacate()

    def _close_idle(self) -> None:
        """Close those that have been idle for long enough, and come back for the rest."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        while self._idle:
            connection, since = next(iter(self._idle.items()))
            if since + self._keep_alive > now:
                self._timer = loop.call_at(since + self._keep_alive, self._close_idle)
                break
            del self._idle[connection]
            connection.close()
