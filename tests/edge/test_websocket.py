"""WebSockets through Sunset: real ones end to end, and handshakes that must not become a tunnel."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import WSMsgType, web

from proxy.core.model import Origin, OriginTls, Site
from proxy.edge.configuration.settings import Limits, Timeouts
from proxy.edge.server import Server
from tests.edge.peers import OK, PATIENCE, Client, Originating, Scripting, Serving, ask, get
from tests.edge.sites import BEFORE, NOTICE, forwarding, notice, passing_through, rulebook, site

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ASKS = (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", KEY)
GRANTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def noticed(origin: Origin) -> Site:
    return site(origins=(origin,), notice=notice())


KINDS = {"before": (forwarding, BEFORE), "notice": (noticed, NOTICE), "pass-through": (passing_through, BEFORE)}


@asynccontextmanager
async def chat(
    closed_with: list[int | None] | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Origin]:
    """An origin that sends back what it hears, and closes with 4001 when it is told so."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("chat",), max_msg_size=2**25)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            elif message.data == "close":
                await socket.close(code=4001, message=b"as you like")
            elif message.data == "target":
                await socket.send_str(request.raw_path)
            else:
                await socket.send_str(message.data)
        if closed_with is not None:
            closed_with.append(socket.close_code)
        return socket

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    tcp = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await tcp.start()
    try:
        yield Origin("http" if context is None else "https", *runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(server: Server, **how: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    address = server.addresses[0]
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"http://{address.host}:{address.port}/a%2Fb?c=~",
            headers={"Host": "po.co"},
            max_msg_size=2**25,
            **how,
        ) as socket,
    ):
        yield socket


@pytest.mark.parametrize(("kind", "at"), KINDS.values(), ids=KINDS)
async def test_a_websocket_works_from_end_to_end(serving: Serving, kind: Callable[[Origin], Site], at: Any) -> None:
    async with chat() as origin:
        server = await serving(rulebook(kind(origin)), at=at)
        async with connected(server, protocols=("chat",), compress=15) as socket:
            assert socket.protocol == "chat"
            assert socket.compress
            for text in ("hello", "é" * 1000, ""):
                await socket.send_str(text)
                assert await socket.receive_str() == text
            await socket.send_str("target")
            assert await socket.receive_str() == "/a%2Fb?c=~"
            large = os.urandom(4_000_000)
            await socket.send_bytes(large)
            assert await socket.receive_bytes() == large
            await socket.send_str("close")
            closed = await socket.receive()
            assert (closed.type, closed.data, closed.extra) == (WSMsgType.CLOSE, 4001, "as you like")
    assert [status for _, _, status in server.counts.requests] == [101]


async def test_a_client_may_close_too(serving: Serving) -> None:
    closed_with: list[int | None] = []
    async with chat(closed_with) as origin:
        server = await serving(rulebook(passing_through(origin)))
        async with connected(server) as socket:
            await socket.send_str("x")
            assert await socket.receive_str() == "x"
            await socket.close(code=4002)
    assert closed_with == [4002]


AUTHORITY = trustme.CA()
TRUSTED = AUTHORITY.cert_pem.bytes().decode()


@pytest.mark.parametrize(
    "tls",
    [OriginTls("legacy.internal", TRUSTED), OriginTls(verify=False), OriginTls("other.internal", verify=False)],
    ids=["its authority", "anybody", "anybody by another name"],
)
@pytest.mark.parametrize("kind", [forwarding, passing_through])
async def test_a_websocket_works_over_tls_to_the_origin(
    serving: Serving, kind: Callable[..., Site], tls: OriginTls
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("legacy.internal").configure_cert(context)
    closed_with: list[int | None] = []
    async with chat(closed_with, context) as origin:
        server = await serving(rulebook(kind(origin, origin_tls=tls)), at=BEFORE)
        async with connected(server) as socket:
            large = os.urandom(1_000_000)
            await socket.send_bytes(large)
            assert await socket.receive_bytes() == large
            await socket.send_str("target")
            assert await socket.receive_str() == "/a%2Fb?c=~"
            await socket.close(code=4002)
    assert closed_with == [4002]
    assert server.counts.upstream_errors == {}


async def test_no_tunnel_to_an_origin_that_is_not_trusted(serving: Serving) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("legacy.internal").configure_cert(context)
    async with chat(context=context) as origin:
        server = await serving(rulebook(passing_through(origin, origin_tls=OriginTls("legacy.internal"))))
        assert (await ask(server, get(b"/", b"po.co", *ASKS))).status == 502
    assert server.counts.upstream_errors == {("in", "tls"): 1}


def echoing(greeting: bytes = b"", granted: bytes = GRANTED) -> Callable[..., Any]:
    """An origin that grants, and then gives back each byte that it gets, until the other side ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(granted + greeting)
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write(b"bye")

    heads: list[bytes] = []
    serve.heads = heads  # type: ignore[attr-defined]
    return serve


async def test_the_handshake_goes_through_with_both_fields_of_its_own(serving: Serving, scripting: Scripting) -> None:
    serve = echoing()
    server = await serving(rulebook(forwarding(await scripting(serve))), at=BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS, b"Origin: https://po.co"))
        answer = await client.answer()
    assert (answer.status, answer.reason) == (101, b"Switching Protocols")
    assert answer.headers == [
        (b"Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        (b"Via", b"1.1 sunset"),
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
    ]
    (head,) = serve.heads  # type: ignore[attr-defined]
    lines = head[:-4].split(b"\r\n")
    assert [line for line in lines if line.lower().startswith((b"connection:", b"upgrade:", b"sec-", b"origin:"))] == [
        b"Sec-WebSocket-Version: 13",
        KEY,
        b"Origin: https://po.co",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
    ]


async def test_what_comes_right_behind_the_heads_is_not_lost(serving: Serving, scripting: Scripting) -> None:
    origin = await scripting(echoing(b"welcome"))
    server = await serving(rulebook(passing_through(origin)))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS) + b"GET /secret HTTP/1.1\r\n\r\n")
        assert (await client.answer()).status == 101
        client.writer.write_eof()
        assert await client.rest() == b"welcomeGET /secret HTTP/1.1\r\n\r\nbye"
    assert sum(server.counts.requests.values()) == 1


async def test_who_has_said_all_still_listens(serving: Serving, scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GRANTED + b"all")
        writer.write_eof()
        heard.set_result(await reader.read())

    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    server = await serving(rulebook(passing_through(await scripting(serve))))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS))
        await client.answer()
        assert await client.rest() == b"all"
        client.send(b"still here")
        client.writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            assert await heard == b"still here"


async def test_a_slow_reader_slows_the_writer_down(serving: Serving, scripting: Scripting) -> None:
    written = 0
    stuck = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GRANTED)
        with suppress(TimeoutError):
            while written < 2**28:
                writer.write(bytes(2**16))
                async with asyncio.timeout(0.3):
                    await writer.drain()
                written += 2**16
        stuck.set()
        await writer.drain()

    server = await serving(rulebook(passing_through(await scripting(serve))), limits=Limits(buffer=2**16))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS))
        await client.answer()
        async with asyncio.timeout(PATIENCE):
            await stuck.wait()
        assert written < 2**25  # what kernels and buffers hold, not what the origin would give


async def test_a_tunnel_in_which_nobody_speaks_is_closed(serving: Serving, scripting: Scripting) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GRANTED)
        await reader.read()
        ended.set()

    server = await serving(rulebook(passing_through(await scripting(serve))), timeouts=Timeouts(tunnel=0.1))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS))
        assert (await client.answer()).status == 101
        with pytest.raises(ConnectionResetError):
            await client.rest()
        async with asyncio.timeout(PATIENCE):
            await ended.wait()


async def test_a_client_that_is_gone_ends_the_tunnel(serving: Serving, scripting: Scripting) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GRANTED)
        await reader.read()
        ended.set()

    server = await serving(rulebook(passing_through(await scripting(serve))))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS))
        await client.answer()
        client.reset()
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    assert [status for _, _, status in server.counts.requests] == [101]


async def test_an_origin_that_is_gone_ends_the_tunnel(serving: Serving, originating: Originating) -> None:
    origin = await originating(GRANTED, reset=True)
    server = await serving(rulebook(passing_through(origin.origin)))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS))
        await client.answer()
        with suppress(ConnectionResetError):
            assert await client.rest() == b""


async def test_a_server_that_stops_lets_a_tunnel_go_on_for_its_time(serving: Serving, scripting: Scripting) -> None:
    origin = await scripting(echoing())
    server = await serving(rulebook(passing_through(origin)), timeouts=Timeouts(stop=0.3))
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS))
        await client.answer()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.stop())
            await asyncio.sleep(0)
            client.send(b"x")
            assert await client.reader.readexactly(1) == b"x"
        with suppress(ConnectionResetError):
            assert await client.rest() == b""


# What is no tunnel

NOT_ASKED = {
    "two fields": (b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: h2c", KEY),
    "no connection": (b"Upgrade: websocket", KEY),
    "no key": (b"Connection: Upgrade", b"Upgrade: websocket"),
    "two keys": (b"Connection: Upgrade", b"Upgrade: websocket", KEY, KEY),
}
OTHERS = {
    "h2c": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__", KEY),
    "two protocols": (b"Connection: Upgrade", b"Upgrade: websocket, h2c", KEY),
    "TLS": (b"Connection: Upgrade", b"Upgrade: TLS/1.0", KEY),
}


@pytest.mark.parametrize("fields", (NOT_ASKED | OTHERS).values(), ids=NOT_ASKED | OTHERS)
async def test_any_other_upgrade_is_taken_out(
    serving: Serving, originating: Originating, fields: tuple[bytes, ...]
) -> None:
    origin = await originating(OK)
    answer = await ask(await serving(rulebook(passing_through(origin.origin))), get(b"/", b"po.co", *fields))
    assert (answer.status, answer.body) == (200, b"ok")
    for name in (b"Upgrade", b"Connection", b"HTTP2-Settings"):
        assert not origin.received[0].all(name)


@pytest.mark.parametrize("fields", NOT_ASKED.values(), ids=NOT_ASKED)
async def test_what_comes_behind_a_handshake_that_is_none_is_answered_too(
    serving: Serving, originating: Originating, fields: tuple[bytes, ...]
) -> None:
    origin = await originating(OK)
    async with await Client.to(await serving(rulebook(passing_through(origin.origin)))) as client:
        client.send(get(b"/", b"po.co", *fields) + get(b"/next"))
        assert [(await client.answer()).body for _ in range(2)] == [b"ok", b"ok"]
    assert [received.target for received in origin.received] == [b"/", b"/next"]


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("body", [b"", b"abc"])
async def test_what_comes_behind_another_upgrade_is_answered_too(
    serving: Serving, originating: Originating, fields: tuple[bytes, ...], body: bytes
) -> None:
    origin = await originating(OK)
    more = (b"Content-Length: 3",) if body else ()
    async with await Client.to(await serving(rulebook(passing_through(origin.origin)))) as client:
        client.send(get(b"/", b"po.co", *fields, *more, method=b"POST" if body else b"GET") + body + b"GET /lo")
        assert (await client.answer()).status == 200
        client.send(b"st HTTP/1.1\r\nHost: po.co\r\n\r\nGET /next HTTP/1.1\r\nHost: po.co\r\n\r\n")
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
    assert [(received.target, received.body) for received in origin.received] == [
        (b"/", body),
        (b"/lost", b""),
        (b"/next", b""),
    ]


async def test_a_handshake_with_a_body_is_none(serving: Serving, originating: Originating) -> None:
    origin = await originating(OK)
    server = await serving(rulebook(passing_through(origin.origin)))
    assert (await ask(server, get(b"/", b"po.co", *ASKS, b"Content-Length: 1") + b"x")).status == 200
    assert not origin.received[0].all(b"Upgrade")
    assert origin.received[0].body == b"x"


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1", b"GET / HTTP/1.0"])
async def test_only_a_get_of_http_1_1_is_a_handshake(serving: Serving, originating: Originating, line: bytes) -> None:
    origin = await originating(OK)
    server = await serving(rulebook(passing_through(origin.origin)))
    async with await Client.to(server) as client:
        client.send(b"\r\n".join([line, b"Host: po.co", *ASKS]) + b"\r\n\r\n")
        assert (await client.answer()).status == 200
    assert not origin.received[0].all(b"Upgrade")


REFUSED = {
    "426": b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 2\r\n\r\nno",
    "200": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    "403 in chunks": b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("answered", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(("kind", "at"), KINDS.values(), ids=KINDS)
async def test_an_origin_that_does_not_want_is_relayed(
    serving: Serving, originating: Originating, answered: bytes, kind: Callable[[Origin], Site], at: Any
) -> None:
    origin = await originating(answered)
    server = await serving(rulebook(kind(origin.origin)), at=at)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", *ASKS) + get(b"/next"))
        for _ in range(2):
            answer = await client.answer()
            assert b"%d" % answer.status == answered.split()[1]
            assert answer.body == b"no"
    assert [received.target for received in origin.received] == [b"/", b"/next"]


NOT_GRANTED = {
    "another protocol": GRANTED.replace(b"WebSocket\r", b"h2c\r"),
    "no protocol": GRANTED.replace(b"Upgrade: WebSocket\r\n", b""),
    "no connection": GRANTED.replace(b"Connection: Upgrade\r\n", b""),
    "two protocols": GRANTED.replace(b"WebSocket\r", b"websocket, h2c\r"),
}


@pytest.mark.parametrize("answered", NOT_GRANTED.values(), ids=NOT_GRANTED)
async def test_an_origin_that_switches_to_something_else_is_502(
    serving: Serving, originating: Originating, answered: bytes
) -> None:
    origin = await originating(answered)
    server = await serving(rulebook(passing_through(origin.origin)), timeouts=Timeouts(linger=0.1))
    assert (await ask(server, get(b"/", b"po.co", *ASKS))).status == 502
    assert server.counts.upstream_errors == {("in", "malformed"): 1}


async def test_an_origin_that_switches_unasked_is_502(serving: Serving, originating: Originating) -> None:
    origin = await originating(GRANTED)
    server = await serving(rulebook(passing_through(origin.origin)))
    assert (await ask(server, get(b"/"))).status == 502


async def test_no_tunnel_where_a_site_redirects(serving: Serving, originating: Originating) -> None:
    origin = await originating(GRANTED)
    server = await serving(rulebook(site(origins=(origin.origin,))))
    async with await Client.to(server) as client:
        client.send(get(b"/a", b"po.co", *ASKS) + get(b"/b"))
        assert [(await client.answer()).one(b"Location") for _ in range(2)] == [
            b"https://www.mi.com/uk/a",
            b"https://www.mi.com/uk/b",
        ]
    assert not origin.received


async def test_what_was_asked_before_is_answered_before(serving: Serving, scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK if b"Upgrade" not in head else GRANTED + b"hi")

    server = await serving(rulebook(passing_through(await scripting(serve))))
    async with await Client.to(server) as client:
        client.send(get(b"/") + get(b"/", b"po.co", *ASKS))
        assert (await client.answer()).body == b"ok"
        assert (await client.answer()).status == 101
        assert await client.reader.readexactly(2) == b"hi"
