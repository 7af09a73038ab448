"""What workers tell the desk: once a second, what they have counted since the last time.

One pair of datagram sockets, made by the supervisor, serves for all workers and for every process that is ever the
desk. A worker sends without waiting. What cannot be sent, because nobody reads, stays with the worker and is sent with
what comes after it; so losing the desk touches no worker, and no count is lost with it that it had not read.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.edge.counts import Counts

DATAGRAM: Final = 32 * 1024
"""Bytes of a datagram, about: several fit into what the kernel holds for a reader that is slow."""
BUFFER: Final = 4 * 1024 * 1024
"""What the kernel may hold of them, where it lets us ask for so much."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one worker tells at one time, or a part of it."""

    pid: int
    generation: str
    place: int
    connections: int
    ends: bool
    """Whether it is all, or the last part."""
    rows: Sequence[Any]


def report_sockets() -> tuple[socket.socket, socket.socket]:
    """The end that the desk reads, and the end that all workers write to."""
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for sock in (reader, writer):
        sock.setblocking(False)
    writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return reader, writer


class Reporter:
    """A worker's side."""

    def __init__(self, sock: socket.socket, counts: Counts, generation: str, place: int) -> None:
        self._sock = sock
        self._counts = counts
        self._about = {"pid": os.getpid(), "generation": generation, "place": place}
        self._unsent: deque[bytes] = deque()

    def send(self, connections: int) -> None:
        """Tell what has been counted since the last time, as far as it can be sent now."""
        if not self._unsent:
            about = self._about | {"connections": connections}
            *others, last = _portions(self._counts.take())
            self._unsent.extend(orjson.dumps(about | {"ends": False, "rows": rows}) for rows in others)
            self._unsent.append(orjson.dumps(about | {"ends": True, "rows": last}))
        with suppress(OSError):
            while self._unsent:
                self._sock.send(self._unsent[0])
                self._unsent.popleft()


def read(sock: socket.socket, at_most: int) -> Iterator[Report]:
    """The desk's side: what waits to be read, but no more than so many at once."""
    with suppress(BlockingIOError):
        for _ in range(at_most):
            yield Report(**orjson.loads(sock.recv(4 * DATAGRAM)))


def _portions(rows: list[Any]) -> Iterator[list[Any]]:
    """Rows in portions that a datagram holds; one without any, so that a worker that is idle is heard of too."""
    portion: list[Any] = []
    size = 0
    for row in rows:
        length = len(orjson.dumps(row)) + 1
        if portion and size + length > DATAGRAM:
            yield portion
            portion, size = [], 0
        portion.append(row)
        size += length
    yield portion
