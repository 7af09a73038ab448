"""The old site that is forwarded to: pages, a file, something large, and a form that takes uploads."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from hashlib import sha256
from typing import Final, Self

BEFORE: Final = b"<!doctype html>\n<html lang=en><head><title>An old page</title></head>\n<body>"
AFTER: Final = b"<h1>An old page</h1>\n" + b"<p>Whatever was written here long ago.</p>\n" * 400 + b"</body></html>\n"
FILE: Final = random.Random(5).randbytes(64 * 1024)
LARGE: Final = 2 * 1024 * 1024
PIECE: Final = 16 * 1024


class OldSite:
    """Listens on a free port as long as the context is open."""

    def __init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20, backlog=512)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # a worker was killed, or its client went away
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        self._writers.remove(writer)
        writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = head.split(b" ", 2)[1]
        kind = b"text/html" if target.startswith(b"/page/") else b"application/octet-stream"
        if target.startswith(b"/page/"):
            body = BEFORE + AFTER
        elif target.startswith(b"/file"):
            body = FILE
        elif target.startswith(b"/large"):
            body = bytes(LARGE)
        else:
            body = sha256(await reader.readexactly(_length(head))).hexdigest().encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)))
        for start in range(0, len(body), PIECE):
            writer.write(body[start : start + PIECE])
            await writer.drain()


def _length(head: bytes) -> int:
    fields = dict(line.lower().split(b":", 1) for line in head[:-4].split(b"\r\n")[1:])
    return int(fields[b"content-length"])
