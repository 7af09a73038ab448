"""What large bodies cost in memory: `python -m bench.memory [--gigabytes N]`.

A gigabyte down, a gigabyte up, and a client that reads 200 KB a second, each through a Sunset of its own; what is
printed is how far the memory of all its processes rises above what it was when it had just started.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from bench.process import memory_kib

PIECE = bytes(1 << 16)
RULES = "site: big\npass_through: true\norigin: http://127.0.0.1:{port}\nhosts: [big.example]\n"
Exchange = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


async def main() -> None:
    """Prints one line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    size = int(parser.parse_args().gigabytes * (1 << 30)) // len(PIECE) * len(PIECE)
    origin = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = origin.sockets[0].getsockname()[1]
    cases: dict[str, tuple[Exchange, int]] = {
        "down": (download, size),
        "up": (upload, size),
        "down to a slow reader": (read_slowly, size),
    }
    for name, (exchange, length) in cases.items():
        print(f"{name:<24} {await rise(port, exchange, length) / 1024:6.1f} MiB above the start")
    origin.close()


async def rise(port: int, exchange: Exchange, size: int) -> int:
    """By how many KiB the memory of a server rises at most."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "big.yaml").write_text(RULES.format(port=port))
        command = ["-m", "proxy", "serve", "--rules", folder, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        server = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.PIPE)
        assert server.stderr is not None  # noqa: S101 - that is what PIPE means
        while (address := re.search(r"listening on http://([\d.]+):(\d+)", said := await line(server.stderr))) is None:
            if not said:
                sys.exit("the server does not start")
        before = memory_kib(server.pid)
        reader, writer = await asyncio.open_connection(address[1], int(address[2]), limit=1 << 16)
        running = asyncio.ensure_future(exchange(reader, writer, size))  # noqa: TID251 - awaited below
        highest = before
        while not running.done():
            highest = max(highest, memory_kib(server.pid))
            await asyncio.sleep(0.02)
        await running
        writer.close()
        server.terminate()
        await server.communicate()
    return highest - before


async def line(said: asyncio.StreamReader) -> str:
    """The next that a server says."""
    return (await said.readline()).decode()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The origin: answers GET with as many bytes as the path says, and takes what is posted."""
    with suppress(ConnectionError):  # the slow reader leaves before the end
        await answer(reader, writer)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One exchange."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    asked = int(head.split()[1][1:])
    if head.startswith("GET"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % asked)
        for _ in range(asked // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
    else:
        await take(reader, asked)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await writer.drain()


async def take(reader: asyncio.StreamReader, size: int) -> None:
    """Reads so much, and keeps none of it."""
    while size > 0:
        size -= len(await reader.read(1 << 16)) or size


async def download(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    """As fast as it comes."""
    writer.write(b"GET /%d HTTP/1.1\r\nHost: big.example\r\n\r\n" % size)
    await reader.readuntil(b"\r\n\r\n")
    await take(reader, size)


async def upload(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    """As fast as it goes."""
    writer.write(b"POST /%d HTTP/1.1\r\nHost: big.example\r\nContent-Length: %d\r\n\r\n" % (size, size))
    for _ in range(size // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()
    await reader.readuntil(b"\r\n\r\n")


async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    """Ten seconds long."""
    writer.write(b"GET /%d HTTP/1.1\r\nHost: big.example\r\n\r\n" % size)
    for _ in range(100):
        await reader.read(20_000)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
