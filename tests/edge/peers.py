"""The two sides of the server, as bytes: a client that sends just what a test says, and an origin that answers so."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from proxy.core.model import Origin
from proxy.core.rulebook import Rulebook
from proxy.edge.clock import Clock
from proxy.edge.server import Server

PATIENCE = 5.0
"""Seconds after which something that should have happened will not."""


class Serving(Protocol):
    """Starts a server on a free port; it stops with the test."""

    async def __call__(self, rulebook: Rulebook, *, clock: Clock | None = None, **settings: Any) -> Server: ...


class Originating(Protocol):
    """Starts an origin on a free port; it stops with the test."""

    async def __call__(self, *answers: bytes, **how: bool) -> RawOrigin: ...


class Scripting(Protocol):
    """Starts an origin that does what a coroutine says; it stops with the test."""

    async def __call__(
        self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> Origin: ...


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Answer:
    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: bytes) -> bytes:
        (value,) = self.all(name)
        return value


class Client:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, server: Server) -> Self:
        address = server.addresses[0]
        return await cls.connect(address.host, address.port)

    @classmethod
    async def connect(cls, host: str, port: int, **tls: Any) -> Self:
        return cls(*await asyncio.open_connection(host, port, **tls))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, method: bytes = b"GET") -> Answer:
        """The next answer, interim ones included."""
        async with asyncio.timeout(PATIENCE):
            return await read_answer(self.reader, method)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def reset(self) -> None:
        """Go away for good: a connection that is only closed may have one that still reads at its end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.writer.close()


async def read_answer(reader: asyncio.StreamReader, method: bytes = b"GET") -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head[:-4].split(b"\r\n")
    version, status, reason = start.split(b" ", 2)
    assert version == b"HTTP/1.1"
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    answer = Answer(int(status), reason, headers, b"")
    if method == b"HEAD" or answer.status in {204, 304} or answer.status < 200:
        return answer
    if answer.all(b"Transfer-Encoding") == [b"chunked"]:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            answer.body += await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
        answer.trailers = await read_trailers(reader)
    elif lengths := answer.all(b"Content-Length"):
        answer.body = await reader.readexactly(int(lengths[0]))
    else:
        answer.body = await reader.read()
    return answer


async def read_trailers(reader: asyncio.StreamReader) -> list[tuple[bytes, bytes]]:
    trailers = []
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = line.partition(b":")
        trailers.append((name, value.strip()))
    return trailers


async def ask(server: Server, request: bytes, method: bytes = b"GET") -> Answer:
    """One request on a connection of its own."""
    async with await Client.to(server) as client:
        client.send(request)
        return await client.answer(method)


def get(path: bytes, host: bytes = b"po.co", *fields: bytes, method: bytes = b"GET") -> bytes:
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: " + host, *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclass
class Received:
    """A request as an origin got it."""

    head: bytes
    body: bytes = b""
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def target(self) -> bytes:
        return self.head.split(b" ", 2)[1]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        lines = self.head[:-4].split(b"\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class RawOrigin:
    """Answers the first request with the first of `answers` and so on, the last one for ever; keeps what it received.

    With `close` it closes the connection after each answer, with `reset` it breaks it off; with `hold` it waits
    for `release`.
    """

    def __init__(self, *answers: bytes, close: bool = False, reset: bool = False, hold: bool = False) -> None:
        self.answers = answers or (OK,)
        self.close, self.reset, self.hold = close, reset, hold
        self.received: list[Received] = []
        self.asked = asyncio.Event()
        self.connections = 0
        self.answered: list[int] = []
        """How many requests there were on each connection."""
        self.dies_after: int | None = None
        """After so many answers on a connection the next request on it is received, and the connection closed."""
        self._writers: list[asyncio.StreamWriter] = []
        self._released: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def release(self, answer: bytes) -> None:
        """Answer what is held."""
        self._released.set_result(answer)

    @property
    def origin(self) -> Origin:
        host, port = self._server.sockets[0].getsockname()
        return Origin("http", host, port)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if not self._released.done():
            self._released.set_result(b"")
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        self.connections += 1
        self.answered.append(0)
        self._writers.append(writer)
        try:
            answered = 0
            while await self._exchange(reader, writer, dies=answered == self.dies_after):
                answered += 1
                self.answered[number] = answered
                if self.close or self.reset:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        if self.reset:
            writer.transport.abort()
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, dies: bool) -> bool:
        received = Received(await reader.readuntil(b"\r\n\r\n"))
        self.received.append(received)
        self.asked.set()
        if received.all(b"Transfer-Encoding"):
            while size := int(await reader.readuntil(b"\r\n"), 16):
                received.body += await reader.readexactly(size)
                await reader.readexactly(2)
            received.trailers = await read_trailers(reader)
        elif lengths := received.all(b"Content-Length"):
            received.body = await reader.readexactly(int(lengths[0]))
        if dies:
            return False
        if self.hold:
            answer = await self._released
            if writer.is_closing():
                return False
            writer.write(answer)
        else:
            writer.write(self.answers[min(len(self.received), len(self.answers)) - 1])
        await writer.drain()
        return True
