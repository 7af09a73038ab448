"""Answers byte for byte: asked for over a connection of its own, with the head and the framing of the body apart."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

PATIENCE = 10.0
"""Seconds after which an answer that should be there will not be."""

BETWEEN_NEIGHBOURS = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"trailer", b"via"})
"""Fields in which an answer may differ from the origin's own."""


@dataclass(frozen=True)
class Answer:
    """`lines` are those of the head as they came, without what is between neighbours."""

    start: bytes
    lines: list[bytes]
    body: bytes
    chunked: bool
    trailers: list[bytes]

    def all(self, name: bytes) -> list[bytes]:
        return [line.partition(b":")[2].strip() for line in self.lines if line.lower().startswith(name.lower() + b":")]

    @property
    def steady(self) -> Answer:
        """Without what is another in every answer: the second it was made in, and boundaries, which nginx counts."""
        boundary = re.compile(rb"(?<=boundary=)\d{20}|(?<=^--)\d{20}", re.MULTILINE)
        lines = [b"Date: now" if line.startswith(b"Date: ") else boundary.sub(b"", line) for line in self.lines]
        return Answer(self.start, lines, boundary.sub(b"", self.body), self.chunked, self.trailers)


async def ask(port: int, request: bytes) -> Answer:
    """The final answer to a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(request)
            return await _read(reader, request.partition(b" ")[0])
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader, method: bytes) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head[:-4].split(b"\r\n")
    fields = [(line.partition(b":")[0].lower(), line.partition(b":")[2].strip()) for line in lines]
    chunked = (b"transfer-encoding", b"chunked") in fields
    lengths = [int(value) for name, value in fields if name == b"content-length"]
    body, trailers = b"", []
    if method == b"HEAD" or start[9:12] in {b"204", b"304"}:
        chunked = False
    elif chunked:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            trailers.append(line[:-2])
    else:
        body = await reader.readexactly(lengths[0]) if lengths else await reader.read()
    kept = [line for line, (name, _) in zip(lines, fields, strict=True) if name not in BETWEEN_NEIGHBOURS]
    return Answer(start, kept, body, chunked, trailers)
