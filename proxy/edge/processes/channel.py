"""Messages between processes of one server: dataclasses as JSON, each behind its length, on a pair of Unix sockets.

Neither side ever waits for the other: what cannot be sent yet is kept, what has come only in part too. JSON, and a
strict reading of it, because a process that talks to clients holds the other end of such a socket.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = 8
_AT_ONCE = 1 << 18

Sent = TypeVar("Sent")
Received = TypeVar("Received")


class Channel(Generic[Sent, Received]):
    """One end of it: sends messages of one kind and receives those of another."""

    def __init__(self, sock: socket.socket, sends: TypeAdapter[Sent], receives: TypeAdapter[Received]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._sends = sends
        self._receives = receives
        self._out = bytearray()
        self._in = bytearray()
        self.ended = False
        """Whether the other side is gone."""

    def fileno(self) -> int:
        """Its descriptor, to wait for."""
        return self._sock.fileno()

    @property
    def waits(self) -> int:
        """Bytes that are to be sent once the other side has read."""
        return len(self._out)

    def send(self, message: Sent) -> None:
        """Send it, or as much of it as can be sent now."""
        body = self._sends.dump_json(message)
        self._out += len(body).to_bytes(_LENGTH, "big") + body
        self.flush()

    def flush(self) -> None:
        """Send what is left, as far as the other side takes it."""
        try:
            while self._out:
                del self._out[: self._sock.send(self._out)]
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()
            self.ended = True

    def receive(self) -> Iterator[Received]:
        """What has come since the last time. Raises `pydantic.ValidationError` for what is no such message."""
        with suppress(BlockingIOError):
            try:
                while data := self._sock.recv(_AT_ONCE):
                    self._in += data
            except ConnectionError:
                pass
            self.ended = True
        while len(self._in) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._in[:_LENGTH], "big")
            if len(self._in) < end:
                break
            body = bytes(self._in[_LENGTH:end])
            del self._in[:end]
            yield self._receives.validate_json(body)

    def close(self) -> None:
        """End it; the other side sees that."""
        self._sock.close()
