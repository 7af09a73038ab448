"""Clients that take their time (for a head, for a body, to read), and such with too many connections at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from proxy.edge.configuration.settings import Limits, Timeouts
from proxy.edge.server import Server
from tests.edge.peers import PATIENCE, Client, Originating, Scripting, Serving, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook

DOORS = pytest.mark.parametrize("front_door", [True, False])


async def drip(client: Client, drops: bytes) -> bytes:
    """Send byte after byte, as long as nothing is said; gives what was said then, up to the end of the connection."""
    for drop in drops:
        client.send(bytes((drop,)))
        try:
            async with asyncio.timeout(0.05):
                return await client.reader.readexactly(1) + await client.rest()
        except TimeoutError:
            continue
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
    return await client.rest()


@DOORS
@pytest.mark.parametrize(
    "beginning", [b"", get(b"/a"), get(b"/a", method=b"POST")], ids=["first", "behind", "behind POST"]
)
async def test_a_head_that_drips_is_cut_off(serving: Serving, front_door: bool, beginning: bytes) -> None:
    server = await serving(AFTER_BOOK, at=AFTER, front_door=front_door, timeouts=Timeouts(head=1.0, linger=0.1))
    async with await Client.to(server) as client:
        if beginning:
            client.send(beginning)
            await client.answer()
        began = server.clock.steady()
        said = await drip(client, b"GET /" + b"a" * 2000)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"Connection: close" in said
        assert server.clock.steady() - began < PATIENCE
    assert server.counts.requests["other", "bad-request", 408] == 1  # type: ignore[index]


@DOORS
async def test_a_connection_without_a_request_ends_after_its_time(serving: Serving, front_door: bool) -> None:
    server = await serving(AFTER_BOOK, at=AFTER, front_door=front_door, timeouts=Timeouts(keep_alive=1.0))
    async with await Client.to(server) as client, await Client.to(server) as other:
        other.send(get(b"/a"))
        await other.answer()
        assert await client.rest() == b""
        assert await other.rest() == b""


async def test_a_body_that_drips_is_408(serving: Serving, originating: Originating) -> None:
    origin = await originating(hold=True)
    slow: dict[str, Any] = {"limits": Limits(body_rate=1000), "timeouts": Timeouts(body_rate=1.0, linger=0.1)}
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, **slow)
    for framing, drops in (
        (b"Content-Length: 100000", b"x" * 2000),
        (b"Transfer-Encoding: chunked", b"1\r\nx\r\n" * 300),
    ):
        async with await Client.to(server) as client:
            client.send(get(b"/", b"po.co", framing, method=b"POST"))
            assert (await drip(client, drops)).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_nobody_wants_yet_may_wait(serving: Serving, scripting: Scripting) -> None:
    took = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await took.wait()
        await reader.readexactly(SIZE)
        assert b"Content-Length: %d" % SIZE in head
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    strict: dict[str, Any] = {"limits": Limits(body_rate=2**30), "timeouts": Timeouts(body_rate=1.0)}
    server = await serving(rulebook(forwarding(await scripting(serve))), at=BEFORE, **strict)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", b"Content-Length: %d" % SIZE, method=b"POST") + b"x" * SIZE)
        ticks = server.clients.tick
        await until(lambda: server.clients.tick >= ticks + 4)
        took.set()
        assert (await client.answer()).status == 200


async def test_a_client_that_does_not_take_its_answer_is_cut(serving: Serving, scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // 2**20):
            writer.write(b"x" * 2**20)
            await writer.drain()

    server = await serving(rulebook(forwarding(await scripting(serve))), at=BEFORE, timeouts=Timeouts(taking=1.0))
    async with await Client.to(server) as client:
        client.send(get(b"/"))
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: len(server.clients) == 0)


@DOORS
async def test_there_are_only_so_many_connections_in_all(serving: Serving, front_door: bool) -> None:
    server = await serving(AFTER_BOOK, at=AFTER, front_door=front_door, limits=Limits(connections=3))
    clients = [await Client.to(server) for _ in range(3)]
    for client in clients:
        client.send(get(b"/a"))
        assert (await client.answer()).status == 301
    async with await Client.to(server) as more:
        assert await ended(more)
    assert server.counts.refused == {"full": 1}
    clients.pop().reset()
    await until(lambda: len(server.clients) == 2)
    async with await Client.to(server) as again:
        again.send(get(b"/a"))
        assert (await again.answer()).status == 301
    for client in clients:
        client.reset()


@DOORS
async def test_one_client_has_only_so_many_connections(serving: Serving, front_door: bool) -> None:
    server = await serving(AFTER_BOOK, at=AFTER, front_door=front_door, limits=Limits(client_connections=2))
    clients = [await Client.to(server) for _ in range(2)]
    await until(lambda: len(server.clients) == 2)
    async with await Client.to(server) as more:
        assert await ended(more)
    async with await from_elsewhere(server) as other:
        other.send(get(b"/a"))
        assert (await other.answer()).status == 301
    assert server.counts.refused == {"client": 1}
    for client in clients:
        client.reset()


async def ended(client: Client) -> bool:
    """Whether the connection was closed without a word."""
    try:
        return await client.rest() == b""
    except ConnectionError:
        return True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE * 2):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def from_elsewhere(server: Server) -> Client:
    """A client with another address."""
    address = server.addresses[0]
    streams = await asyncio.open_connection(address.host, address.port, local_addr=("127.0.0.2", 0))
    return Client(*streams)


AFTER_BOOK = rulebook()
SIZE = 64 * 2**20
