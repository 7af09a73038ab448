"""What a client says in a tunnel, from the moment on that its connection no longer speaks HTTP (RFC 9110 section 7.8).

aiohttp gives the bytes of a connection that has switched protocols to a parser of that protocol. An inflow stands in
the parser's place, and only keeps the bytes in a stream: a bounded one, which lets the other end wait when it is full.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import StreamReader

if TYPE_CHECKING:
    from aiohttp.base_protocol import BaseProtocol


class Inflow:
    """The client's bytes; read them from `stream`. `limit` is in bytes."""

    def __init__(self, protocol: BaseProtocol, limit: int) -> None:
        self.stream = StreamReader(protocol, limit, loop=asyncio.get_running_loop())

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """More bytes came. Says that this was not the end, and that nothing is left over."""
        self.stream.feed_data(data)
        return False, b""

    def feed_eof(self) -> None:
        """No more will come."""
        if not self.stream.is_eof():
            self.stream.feed_eof()

    def break_off(self, error: BaseException) -> None:
        """The connection was lost. What had come before is lost with it, as for everyone who reads a socket."""
        if not self.stream.is_eof():
            self.stream.set_exception(error)
