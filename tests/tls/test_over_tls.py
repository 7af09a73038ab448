"""HTTP over TLS from end to end: what is forwarded, how much, and how connections end (threats T35, T38 and T43)."""

import asyncio
import hashlib
import socket
import ssl
import time
from pathlib import Path

import aiohttp
import pytest

from proxy.core.model import Origin
from proxy.edge.server import Server
from tests.edge.conftest import ANY_PORT
from tests.edge.peers import OK, PATIENCE, Client, Originating, Scripting, Serving, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook
from tests.edge.test_forwarding import PIECE, SIZE, echo, start_origin
from tests.edge.test_websocket import chat
from tests.tls.authority import connect, issue, serve, trusting


@pytest.fixture
def filled(certs: Path) -> Path:
    issue("po.co", "www.po.co").certbot(certs, "po.co")
    return certs


async def in_front_of(serving: Serving, origin: Origin, certs: Path) -> Server:
    return await serve(serving, rulebook(forwarding(origin)), certs, at=BEFORE)


async def test_the_origin_is_told_that_it_was_https(serving: Serving, originating: Originating, filled: Path) -> None:
    origin = await originating(OK)
    server = await in_front_of(serving, origin.origin, filled)
    async with await connect(server, "po.co") as client:
        for _ in range(2):
            client.send(get(b"/a%2Fb?c=~"))
            answer = await client.answer()
            assert (answer.status, answer.body) == (200, b"ok")
    received = origin.received[0]
    assert received.target == b"/a%2Fb?c=~"
    assert received.all(b"X-Forwarded-Proto") == [b"https"]
    assert len(origin.received) == 2


async def test_pipelined_requests_are_answered_in_their_order(serving: Serving, filled: Path) -> None:
    server = await serve(serving, rulebook(), filled, at=AFTER)
    async with await connect(server, "po.co") as client:
        client.send(b"".join(get(b"/%d" % number) for number in range(20)))
        for number in range(20):
            assert (await client.answer()).one(b"Location") == b"https://www.mi.com/uk/%d" % number


async def test_a_head_that_comes_byte_by_byte_is_one(serving: Serving, filled: Path) -> None:
    server = await serve(serving, rulebook(), filled, at=AFTER)
    async with await connect(server, "po.co") as client:
        for byte in get(b"/x"):
            client.send(bytes((byte,)))
            await client.writer.drain()
        assert (await client.answer()).status == 301


async def test_ten_megabytes_go_up_and_come_down_at_once(serving: Serving, filled: Path) -> None:
    running, origin = await start_origin(echo)
    server = await in_front_of(serving, origin, filled)
    async with await connect(server, "po.co") as client, asyncio.timeout(12 * PATIENCE):

        async def upload() -> None:
            client.send(get(b"/echo", b"po.co", b"Content-Length: %d" % SIZE, method=b"POST"))
            for _ in range(SIZE // len(PIECE)):
                client.send(PIECE)
                await client.writer.drain()

        async def download() -> str:
            await client.reader.readuntil(b"\r\n\r\n")
            digest, left = hashlib.sha256(), SIZE
            while left:
                size = int(await client.reader.readuntil(b"\r\n"), 16)
                digest.update(await client.reader.readexactly(size))
                await client.reader.readexactly(2)
                left -= size
            return digest.hexdigest()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(upload())
            downloaded = tasks.create_task(download())
    await running.close()
    assert downloaded.result() == hashlib.sha256(PIECE * (SIZE // len(PIECE))).hexdigest()


async def test_a_slow_reader_holds_the_origin_back(serving: Serving, scripting: Scripting, filled: Path) -> None:
    sent = 0
    size = 64 * 2**20

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
            sent += len(PIECE)

    server = await in_front_of(serving, await scripting(pour), filled)
    async with await connect(server, "po.co") as client:
        client.send(get(b"/"))
        last, still_since = -1, time.monotonic()
        while time.monotonic() - still_since < 0.2:
            if sent != last:
                last, still_since = sent, time.monotonic()
            await asyncio.sleep(0.01)
        assert 0 < sent < size // 2
        client.writer.transport.abort()


async def test_a_websocket_works_from_end_to_end(serving: Serving, filled: Path) -> None:
    async with chat() as origin:
        server = await in_front_of(serving, origin, filled)
        address = server.tls_addresses[0]
        async with (
            asyncio.timeout(PATIENCE),
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"https://{address.host}:{address.port}/chat",
                headers={"Host": "po.co"},
                ssl=trusting(),
                server_hostname="po.co",
                max_msg_size=2**25,
            ) as websocket,
        ):
            await websocket.send_str("hello")
            assert await websocket.receive_str() == "hello"
            await websocket.send_bytes(PIECE * 32)
            assert await websocket.receive_bytes() == PIECE * 32
            await websocket.send_str("close")
            message = await websocket.receive()
            assert (message.type, websocket.close_code) == (aiohttp.WSMsgType.CLOSE, 4001)


async def test_an_answer_that_breaks_off_does_not_look_like_one_that_ends(
    serving: Serving, originating: Originating, filled: Path
) -> None:
    origin = await originating(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this", close=True)
    server = await in_front_of(serving, origin.origin, filled)
    async with await connect(server, "po.co") as client:
        client.send(get(b"/"))
        await client.reader.readuntil(b"\r\n\r\n")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await client.rest()


async def test_a_connection_that_ends_says_so(serving: Serving, filled: Path) -> None:
    server = await serve(serving, rulebook(), filled, at=AFTER)
    answer = await asyncio.to_thread(whole, server.tls_addresses[0].port, get(b"/x", b"po.co", b"Connection: close"))
    assert answer.startswith(b"HTTP/1.1 301")


def whole(port: int, request: bytes) -> bytes:
    """Everything that is answered. Raises `ssl.SSLEOFError` where the end is none of TLS (close_notify)."""
    with (
        socket.create_connection(("127.0.0.1", port), 6 * PATIENCE) as sock,
        trusting().wrap_socket(sock, server_hostname="po.co", suppress_ragged_eofs=False) as tls,
    ):
        tls.sendall(request)
        return b"".join(iter(lambda: tls.recv(1 << 16), b""))


async def test_malformed_requests_are_answered_as_without_tls(serving: Serving, filled: Path) -> None:
    server = await serve(serving, rulebook(), filled, at=AFTER)
    for request in (b"GET / HTTP/1.1\r\nHost: po.co\r\n folded\r\n\r\n", b"nonsense\r\n\r\n", get(b"/", b"a,b")):
        async with await connect(server, "po.co") as client:
            client.send(request)
            assert (await client.answer()).status == 400


async def test_a_client_that_is_gone_at_once_is_nothing_to_log(
    serving: Serving, filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(serving, rulebook(), filled, at=AFTER)
    for _ in range(5):
        client = await connect(server, "po.co")
        client.send(get(b"/x"))
        client.reset()
    async with await connect(server, "po.co") as client:
        client.send(get(b"/x"))
        assert (await client.answer()).status == 301
    assert caplog.records == []


async def test_idle_connections_are_closed_and_answers_end_when_the_server_stops(
    serving: Serving, originating: Originating, filled: Path
) -> None:
    origin = await originating(hold=True)
    server = await in_front_of(serving, origin.origin, filled)
    async with await connect(server, "po.co") as idle, await connect(server, "po.co") as busy:
        busy.send(get(b"/x"))
        await origin.asked.wait()
        stopping = asyncio.get_running_loop().create_task(server.stop())
        assert await idle.rest() == b""
        origin.release(OK)
        assert (await busy.answer()).body == b"ok"
        assert await busy.rest() == b""
        await stopping


async def test_plain_http_gets_no_tls_and_the_other_way_round(serving: Serving, filled: Path) -> None:
    server = await serving(rulebook(), listen=(ANY_PORT,), listen_tls=(ANY_PORT,), certs=filled, at=AFTER)
    plain = server.addresses[0]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await Client.connect(plain.host, plain.port, ssl=trusting(), server_hostname="po.co")
