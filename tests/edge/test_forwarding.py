"""Forwarding: what the origin gets, and what comes back, byte for byte."""

import asyncio
import hashlib
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.core.model import Origin
from proxy.edge.server import Server
from tests.edge.peers import OK, Client, Originating, RawOrigin, Scripting, Serving, ask, get
from tests.edge.sites import BEFORE, NOTICE, forwarding, notice, passing_through, rulebook, site
from tests.edge.test_outcomes import PATHS

ADDED = [
    (b"Via", b"1.1 sunset"),
    (b"Forwarded", b"for=127.0.0.1;host=po.co;proto=http"),
    (b"X-Forwarded-For", b"127.0.0.1"),
    (b"X-Forwarded-Host", b"po.co"),
    (b"X-Forwarded-Proto", b"http"),
]


async def start(serving: Serving, origin: RawOrigin) -> Server:
    return await serving(rulebook(forwarding(origin.origin)), at=BEFORE)


@pytest.mark.parametrize("path", [*PATHS, b"/%2e%2e/x", b"/x%5cy", b"/a;b=c"])
async def test_the_origin_is_asked_for_the_very_bytes(serving: Serving, originating: Originating, path: bytes) -> None:
    origin = await originating()
    await ask(await start(serving, origin), get(path))
    assert origin.received[0].target == path


@pytest.mark.parametrize(
    ("sent", "asked", "host"),
    [
        (b"/x?y#frag", b"/x?y", b"other"),
        (b"http://po.co/x?y", b"/x?y", b"po.co"),
        (b"HTTP://PO.co:80", b"/", b"PO.co:80"),
        (b"http://po.co?x", b"/?x", b"po.co"),
    ],
)
async def test_the_origin_is_asked_in_origin_form(
    serving: Serving, originating: Originating, sent: bytes, asked: bytes, host: bytes
) -> None:
    origin = await originating()
    await ask(await start(serving, origin), get(sent, b"po.co" if sent[:1] == b"/" else host))
    assert origin.received[0].target == asked
    assert origin.received[0].all(b"Host") == [b"po.co" if sent[:1] == b"/" else host]


async def test_the_origin_gets_the_fields_in_their_order_with_ours_behind_and_nothing_else(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating()
    fields = (
        b"X-Twice: 1",
        b"cookie: a=b; c=d",
        b"X-Twice: 2",
        b"X-Latin: caf\xe9",
        b"Accept-Encoding: br",
        b"X-Empty:",
    )
    between = (b"Connection: keep-alive, X-Hop", b"X-Hop: 1", b"Upgrade: h2c", b"TE: gzip", b"X_Under: 1")
    await ask(await start(serving, origin), get(b"/", b"po.co", *fields, *between))
    assert origin.received[0].headers == [
        (b"Host", b"po.co"),
        (b"X-Twice", b"1"),
        (b"cookie", b"a=b; c=d"),
        (b"X-Twice", b"2"),
        (b"X-Latin", b"caf\xe9"),
        (b"Accept-Encoding", b"br"),
        (b"X-Empty", b""),
        *ADDED,
    ]


@pytest.mark.parametrize(
    "method", [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"PROPFIND", b"PURGE", b"SEARCH"]
)
@pytest.mark.parametrize("body", [None, b"", b"abc"])
async def test_any_method_with_any_body_is_forwarded(
    serving: Serving, originating: Originating, method: bytes, body: bytes | None
) -> None:
    origin = await originating(OK if method != b"HEAD" else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    fields = () if body is None else (b"Content-Length: %d" % len(body),)
    answer = await ask(
        await start(serving, origin), get(b"/", b"po.co", *fields, method=method) + (body or b""), method
    )
    assert answer.status == 200
    (received,) = origin.received
    assert received.head.startswith(method + b" / HTTP/1.1\r\n")
    assert received.body == (body or b"")
    assert received.all(b"Content-Length") == ([] if body is None else [b"%d" % len(body)])
    assert not received.all(b"Transfer-Encoding")


async def test_a_body_in_chunks_goes_on_in_chunks(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    body = b"3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\nTrailer: x\r\n\r\n"
    request = get(b"/", b"po.co", b"Transfer-Encoding: Chunked", b"Trailer: Trailer", method=b"POST")
    assert (await ask(await start(serving, origin), request + body)).status == 200
    (received,) = origin.received
    assert received.body == b"abcd"
    assert received.all(b"Transfer-Encoding") == [b"chunked"]
    assert not received.all(b"Trailer")


async def test_a_body_is_asked_for_once_there_is_somebody_to_take_it(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating()
    async with await Client.to(await start(serving, origin)) as client:
        client.send(get(b"/", b"po.co", b"Content-Length: 3", b"Expect: 100-continue", method=b"POST"))
        assert (await client.answer()).status == 100
        client.send(b"abc")
        assert (await client.answer()).status == 200
    assert origin.received[0].body == b"abc"
    assert not origin.received[0].all(b"Expect")


async def test_the_answer_comes_back_in_its_order_with_via_behind(serving: Serving, originating: Originating) -> None:
    origin = await originating(
        b"HTTP/1.1 418 I'm a caf\xe9\r\nServer: Old/1\r\nSet-Cookie: a=1\r\nX-B: \xe9\r\nSet-Cookie: b=2\r\n"
        b"Content-Length: 3\r\nContent-Encoding: gzip\r\nDate: then\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
        b"Keep-Alive: timeout=5\r\nLocation: /../%7E\r\n\r\n\x1f\x8b\x00"
    )
    answer = await ask(await start(serving, origin), get(b"/"))
    assert answer.status == 418
    assert answer.reason == b"I'm a caf\xe9"
    assert answer.headers == [
        (b"Server", b"Old/1"),
        (b"Set-Cookie", b"a=1"),
        (b"X-B", b"\xe9"),
        (b"Set-Cookie", b"b=2"),
        (b"Content-Length", b"3"),
        (b"Content-Encoding", b"gzip"),
        (b"Date", b"then"),
        (b"Location", b"/../%7E"),
        (b"Via", b"1.1 sunset"),
    ]
    assert answer.body == b"\x1f\x8b\x00"


async def test_a_site_that_is_passed_through_gets_nothing_but_via(serving: Serving, originating: Originating) -> None:
    origin = await originating(OK)
    server = await serving(rulebook(passing_through(origin.origin, headers=((b"X-A", b"1"),), hsts=b"max-age=1")))
    answer = await ask(server, get(b"/"))
    assert answer.headers == [(b"Content-Length", b"2"), (b"Via", b"1.1 sunset")]


async def test_an_answer_without_a_date_gets_one(serving: Serving, originating: Originating) -> None:
    origin = await originating(OK)
    answer = await ask(await start(serving, origin), get(b"/"))
    assert answer.one(b"Date") == b"Tue, 01 Oct 2024 00:00:00 GMT"


async def test_an_answer_in_the_notice_phase_says_what_comes(serving: Serving, originating: Originating) -> None:
    origin = await originating(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSunset: never\r\nLink: </a.css>; rel=preload\r\n\r\n"
    )
    server = await serving(rulebook(site(origins=(origin.origin,), notice=notice())), at=NOTICE)
    answer = await ask(server, get(b"/x?y"))
    assert answer.all(b"Sunset") == [b"Tue, 31 Dec 2024 00:00:00 GMT"]
    assert answer.all(b"Deprecation") == [b"@1728432000"]
    assert answer.all(b"Link") == [
        b"</a.css>; rel=preload",
        b'</.sunset/notice>; rel="sunset"',
        b'<https://www.mi.com/uk/x?y>; rel="successor-version"',
    ]


NO_BODY = {
    "HEAD": (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", [b"1000"]),
    "HEAD of chunks": (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", []),
    "204": (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", []),
    "204 with a length": (b"DELETE", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", []),
    "304": (b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", []),
    "304 with a length": (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", [b"1000"]),
    "an empty body": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [b"0"]),
}


@pytest.mark.parametrize(("method", "answered", "lengths"), NO_BODY.values(), ids=NO_BODY)
async def test_an_answer_without_a_body_has_none(
    serving: Serving, originating: Originating, method: bytes, answered: bytes, lengths: list[bytes]
) -> None:
    origin = await originating(answered)
    async with await Client.to(await start(serving, origin)) as client:
        for _ in range(2):
            client.send(get(b"/", method=method))
            answer = await client.answer(method)
            assert answer.all(b"Content-Length") == lengths
            assert not answer.all(b"Transfer-Encoding")
    assert origin.connections == 1


FRAMED = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n",
    "a continue that nobody waits for": (
        b"HTTP/1.1 100 Continue\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"
    ),
}
ENDED = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nabcdef",
    "neither": b"HTTP/1.1 200 OK\r\n\r\nabcdef",
    "a length, and close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nabcdef",
}


@pytest.mark.parametrize("answered", FRAMED.values(), ids=FRAMED)
async def test_connections_to_the_origin_are_kept(serving: Serving, originating: Originating, answered: bytes) -> None:
    origin = await originating(answered)
    server = await start(serving, origin)
    for _ in range(3):
        answer = await ask(server, get(b"/"))
        assert answer.body == b"abcdef"
        assert not answer.all(b"Connection")
        assert not answer.all(b"Link")
    assert origin.connections == 1


@pytest.mark.parametrize("answered", ENDED.values(), ids=ENDED)
async def test_an_answer_may_end_with_the_origins_connection(
    serving: Serving, originating: Originating, answered: bytes
) -> None:
    origin = await originating(answered, close=True)
    async with await Client.to(await start(serving, origin)) as client:
        for _ in range(2):
            client.send(get(b"/"))
            assert (await client.answer()).body == b"abcdef"
    assert origin.connections == 2


@pytest.mark.parametrize("answered", FRAMED.values(), ids=FRAMED)
async def test_a_client_that_knows_no_chunks_gets_none(
    serving: Serving, originating: Originating, answered: bytes
) -> None:
    origin = await originating(answered)
    async with await Client.to(await start(serving, origin)) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: po.co\r\n\r\n")
        everything = await client.rest()
    head, _, body = everything.partition(b"\r\n\r\n")
    assert body == b"abcdef"
    assert b"\r\nConnection: close" in head
    assert b"Transfer-Encoding" not in head
    assert (b"Via", b"1.0 sunset") in origin.received[0].headers


async def test_many_requests_on_one_connection_keep_apart(serving: Serving, originating: Originating) -> None:
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(8)]
    origin = await originating(*answers)
    async with await Client.to(await start(serving, origin)) as client:
        client.send(b"".join(get(b"/%d" % number) for number in range(8)))
        assert [(await client.answer()).body for _ in range(8)] == [b"%d" % number for number in range(8)]
    assert [received.target for received in origin.received] == [b"/%d" % number for number in range(8)]


async def test_a_preview_asks_the_origin_for_the_site_itself(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, preview_suffix=".localhost")
    await ask(server, get(b"/", b"po.co.localhost:8080"))
    assert origin.received[0].all(b"Host") == [b"po.co"]
    assert origin.received[0].all(b"X-Forwarded-Host") == [b"po.co.localhost:8080"]


async def test_an_origins_large_field_is_relayed(serving: Serving, originating: Originating) -> None:
    policy = b"default-src " + b"https://x.example " * 3000
    fields = b"".join(b"X-%d: y\r\n" % number for number in range(200))
    answered = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Security-Policy: %b\r\n%b\r\n" % (policy, fields)
    origin = await originating(answered)
    assert (await ask_large(await start(serving, origin))).startswith(b"HTTP/1.1 200 OK")


async def ask_large(server: Server) -> bytes:
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", b"Connection: close"))
        return await client.rest()


# Streams

SIZE = 10 * 2**20
PIECE = bytes(range(256)) * 256


async def echo(request: web.Request) -> web.StreamResponse:
    """Sends back what comes while it comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for chunk in request.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


async def swallow(request: web.Request) -> web.Response:
    digest = hashlib.sha256()
    async for chunk in request.content.iter_any():
        digest.update(chunk)
    return web.Response(text=digest.hexdigest())


async def start_origin(handler: object) -> tuple[TestServer, Origin]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    test_server = TestServer(application)
    await test_server.start_server()
    assert test_server.port is not None
    return test_server, Origin("http", "127.0.0.1", test_server.port)


@pytest.mark.parametrize("chunked", [True, False])
async def test_ten_megabytes_go_up_and_come_down_at_once(serving: Serving, *, chunked: bool) -> None:
    running, origin = await start_origin(echo)
    server = await serving(rulebook(forwarding(origin)), at=BEFORE)
    field = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % SIZE
    async with await Client.to(server) as client, asyncio.timeout(30):

        async def upload() -> None:
            client.send(get(b"/echo", b"po.co", field, method=b"POST"))
            for _ in range(SIZE // len(PIECE)):
                client.send(b"%x\r\n%b\r\n" % (len(PIECE), PIECE) if chunked else PIECE)
                await client.writer.drain()
            if chunked:
                client.send(b"0\r\n\r\n")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(upload())
            answer = await client.answer()
    await running.close()
    assert answer.status == 200
    assert len(answer.body) == SIZE
    assert answer.body == PIECE * (SIZE // len(PIECE))


async def test_an_upload_arrives_whole(serving: Serving) -> None:
    running, origin = await start_origin(swallow)
    server = await serving(rulebook(forwarding(origin)), at=BEFORE)
    body = PIECE * 40
    answer = await ask(server, get(b"/", b"po.co", b"Content-Length: %d" % len(body), method=b"PUT") + body)
    await running.close()
    assert answer.body.decode() == hashlib.sha256(body).hexdigest()


async def test_a_slow_reader_holds_the_origin_back(serving: Serving) -> None:
    sent = 0

    async def pour(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64 * 2**20 // len(PIECE)):
            await response.write(PIECE)
            sent += len(PIECE)
        return response

    running, origin = await start_origin(pour)
    server = await serving(rulebook(forwarding(origin)), at=BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/"))
        last, still_since = -1, time.monotonic()
        while time.monotonic() - still_since < 0.2:
            if sent != last:
                last, still_since = sent, time.monotonic()
            await asyncio.sleep(0.01)
        assert 0 < sent < 32 * 2**20
        client.writer.transport.abort()
    await running.close()


async def test_an_origin_that_answers_before_the_body_is_there_is_heard(serving: Serving, scripting: Scripting) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await writer.drain()
        await reader.read()

    server = await serving(rulebook(forwarding(await scripting(refuse))), at=BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", b"Content-Length: 1000000", method=b"POST") + b"x")
        answer = await client.answer()
        assert (answer.status, answer.body) == (413, b"big")
        assert answer.one(b"Connection") == b"close"
