"""One connection to an origin: bytes out at the origin's pace, and bytes in to whoever has asked for them.

It knows nothing of HTTP. While nobody has asked for anything nothing may come: bytes that were not asked for must never
become the answer to the next request, so a connection on which some come is closed, and so is one that the origin ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

from proxy.edge.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable


class Hearer(Protocol):
    """Who has asked."""

    def heard(self, data: bytes) -> None:
        """The origin says something."""
        ...

    def heard_all(self) -> bool:
        """The origin says no more. Tells whether there is more to be said to it."""
        ...

    def heard_nothing(self) -> None:
        """The deadline has passed."""
        ...

    def lost(self) -> None:
        """The connection is gone, be it that we have closed it."""
        ...


class OriginConnection(asyncio.Protocol):
    """A connection; `lost` is told when it is gone."""

    __slots__ = ("_drained", "_lost", "_paused", "deadline", "hearer", "is_lost", "is_secure", "transport", "used")

    def __init__(self, lost: Callable[[OriginConnection], None]) -> None:
        self._lost = lost
        self._paused = False
        self._drained: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport
        self.is_lost = False
        self.is_secure = False
        self.hearer: Hearer | None = None
        self.deadline = Deadline(self._expired)
        """For the next bytes."""
        self.used = False
        """Whether a request was sent on it already."""

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return not self.transport.is_closing()

    @property
    def is_slow(self) -> bool:
        """Whether the origin takes bytes more slowly than they come; `drained` waits for it."""
        return self._paused

    def write(self, data: bytes) -> None:
        """Say something. Raises `ConnectionResetError` where nobody is there to hear it."""
        if self.transport.is_closing():
            raise ConnectionResetError("the origin is gone")
        self.transport.write(data)

    async def drained(self) -> None:
        """Wait until the origin has taken what was written. Raises `ConnectionResetError`."""
        if self._paused:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def close(self) -> None:
        """Close it; what was written is still sent."""
        self.transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self.transport.abort()

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self.transport = cast("asyncio.Transport", transport)
        self.is_secure = transport.get_extra_info("sslcontext") is not None

    def data_received(self, data: bytes) -> None:
        """The origin says something."""
        if self.hearer is None:
            self.transport.abort()
        else:
            self.hearer.heard(data)

    def eof_received(self) -> bool | None:
        """The origin says no more. True keeps our side open; TLS has no such state."""
        if self.hearer is None:
            return None
        return self.hearer.heard_all() and not self.is_secure

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002 - that it is lost is all that counts
        """It is gone."""
        self.is_lost = True
        self.deadline.cancel()
        self.resume_writing()
        self._lost(self)
        if self.hearer is not None:
            self.hearer.lost()

    def pause_writing(self) -> None:
        """The origin does not keep up."""
        self._paused = True

    def resume_writing(self) -> None:
        """The origin has caught up."""
        self._paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _expired(self) -> None:
        if self.hearer is not None:
            self.hearer.heard_nothing()
