"""Fields behind a body in chunks: which of them go on, to whom, and how they are announced."""

import asyncio

import pytest

from proxy.core.model import Site
from proxy.edge.server import Server
from tests.edge.peers import Answer, Client, Originating, RawOrigin, Scripting, Serving, ask, get
from tests.edge.sites import BEFORE, NOTICE, forwarding, notice, passing_through, rulebook, site

PAGE = b"<!doctype html><title>Old</title><body><p>x</p>"
SUM = (b"X-Checksum", b"abc")
TIMING = (b"Server-Timing", b"db;dur=53")


def in_chunks(*fields: bytes, trailers: tuple[tuple[bytes, bytes], ...], body: bytes = PAGE) -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", *fields])
    lines = b"".join(b"%b: %b\r\n" % trailer for trailer in trailers)
    return b"%b\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (head, len(body), body, lines)


async def start(serving: Serving, kind: Site) -> Server:
    return await serving(rulebook(kind), at=BEFORE)


async def answered(serving: Serving, originating: Originating, answer: bytes) -> Answer:
    origin = await originating(answer)
    return await ask(await start(serving, forwarding(origin.origin)), get(b"/"))


async def test_trailers_go_on_in_their_order(serving: Serving, originating: Originating) -> None:
    trailers = (SUM, TIMING, (b"x-checksum", b"\xff"), SUM)
    answer = await answered(serving, originating, in_chunks(trailers=trailers))
    assert answer.body == PAGE
    assert answer.trailers == list(trailers)
    assert not answer.all(b"Trailer")


async def test_trailers_are_announced_where_the_origin_has_announced_them(
    serving: Serving, originating: Originating
) -> None:
    fields = (b"Trailer: X-Checksum ,Content-Length,, Set-Cookie", b"trailer: Server-Timing")
    answer = await answered(serving, originating, in_chunks(*fields, trailers=(SUM, TIMING)))
    assert answer.one(b"Trailer") == b"X-Checksum, Server-Timing"
    assert answer.trailers == [SUM, TIMING]


@pytest.mark.parametrize(
    "name",
    [
        *(b"Content-Length", b"Transfer-Encoding", b"Trailer", b"Connection", b"Host", b"Via"),
        *(b"Cache-Control", b"Expires", b"Vary", b"Location", b"Date", b"Age"),
        *(b"Content-Encoding", b"Content-Type", b"Content-Range"),
        *(b"set-cookie", b"WWW-Authenticate", b"Proxy-Authenticate"),
    ],
)
async def test_what_belongs_in_a_head_never_goes_on_in_a_trailer(
    serving: Serving, originating: Originating, name: bytes
) -> None:
    answered_with = in_chunks(b"Trailer: " + name, trailers=((name, b"1"), SUM))
    answer = await answered(serving, originating, answered_with)
    assert answer.trailers == [SUM]
    assert not answer.all(b"Trailer")


async def test_a_trailer_that_connection_names_ends_here(serving: Serving, originating: Originating) -> None:
    trailers = ((b"Connection", b"X-Hop"), (b"X-Hop", b"1"), SUM)
    assert (await answered(serving, originating, in_chunks(trailers=trailers))).trailers == [SUM]


async def test_a_client_that_knows_no_chunks_gets_no_trailers(serving: Serving, originating: Originating) -> None:
    origin = await originating(in_chunks(b"Trailer: X-Checksum", trailers=(SUM,)))
    async with await Client.to(await start(serving, forwarding(origin.origin))) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: po.co\r\n\r\n")
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert body == PAGE
    assert b"Trailer" not in head


async def test_a_connection_is_kept_behind_trailers(serving: Serving, originating: Originating) -> None:
    origin = await originating(in_chunks(trailers=(SUM,)))
    async with await Client.to(await start(serving, passing_through(origin.origin))) as client:
        for _ in range(3):
            client.send(get(b"/"))
            assert (await client.answer()).trailers == [SUM]
    assert origin.connections == 1


async def test_a_page_with_a_notice_has_no_trailers_that_speak_of_the_page_without(
    serving: Serving, originating: Originating
) -> None:
    fields = (b"Content-Type: text/html", b"Trailer: Content-Digest, X-Checksum")
    origin = await originating(in_chunks(*fields, trailers=((b"Content-Digest", b"sha-256=:x:"), SUM)))
    server = await serving(rulebook(site(origins=(origin.origin,), notice=notice())), at=NOTICE)
    answer = await ask(server, get(b"/"))
    assert b"<aside" in answer.body
    assert answer.one(b"Trailer") == b"X-Checksum"
    assert answer.trailers == [SUM]


# What the origin is told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((b"TE: trailers",), [b"trailers"]),
        ((b"TE: gzip;q=0.5, Trailers", b"Connection: TE, X-Hop"), [b"trailers"]),
        ((b"TE: gzip", b"te:trailers"), [b"trailers"]),
        ((b"TE: gzip",), []),
        ((b"TE: xtrailers",), []),
        ((), []),
    ],
)
async def test_who_takes_trailers_says_so_to_the_origin(
    serving: Serving, originating: Originating, said: tuple[bytes, ...], told: list[bytes]
) -> None:
    origin = await originating()
    await ask(await start(serving, passing_through(origin.origin)), get(b"/", b"po.co", *said))
    assert origin.received[0].all(b"TE") == told
    assert origin.received[0].all(b"Connection") == ([b"TE"] if told else [])


async def test_a_client_that_knows_no_chunks_is_not_believed(serving: Serving, originating: Originating) -> None:
    origin: RawOrigin = await originating()
    async with await Client.to(await start(serving, passing_through(origin.origin))) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: po.co\r\nTE: trailers\r\n\r\n")
        await client.rest()
    assert not origin.received[0].all(b"TE")


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        (b"X-Checksum, Content-Length, X_Under, X-Forwarded-For", [b"X-Checksum"]),
        (b"Content-Length", []),
    ],
)
async def test_a_clients_trailers_are_announced_to_the_origin(
    serving: Serving, originating: Originating, announced: bytes, told: list[bytes]
) -> None:
    origin = await originating()
    request = get(b"/", b"po.co", b"Transfer-Encoding: chunked", b"Trailer: " + announced, method=b"POST")
    await ask(await start(serving, passing_through(origin.origin)), request + b"1\r\nx\r\n0\r\n\r\n")
    assert origin.received[0].all(b"Trailer") == told
    assert origin.received[0].body == b"x"


async def test_a_clients_trailers_reach_the_origin(serving: Serving, scripting: Scripting) -> None:
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = await start(serving, passing_through(await scripting(serve)))
    head = get(b"/", b"po.co", b"Transfer-Encoding: chunked", b"Trailer: X-Sum", method=b"POST")
    trailers = b"X-Sum: 1\r\nContent-Length: 9\r\nX-Forwarded-For: evil\r\nx-more:  2 \r\n"
    async with await Client.to(server) as client:
        client.send(head + b"1\r\na\r\n0\r\n" + trailers + b"\r\n" + get(b"/next"))
        assert (await client.answer()).body == b"ok"
    assert received[0].endswith(b"\r\n0\r\nX-Sum: 1\r\nx-more: 2\r\n\r\n")


async def test_malformed_trailers_of_a_client_are_400(serving: Serving, originating: Originating) -> None:
    origin = await originating(hold=True)
    server = await start(serving, passing_through(origin.origin))
    head = get(b"/", b"po.co", b"Transfer-Encoding: chunked", method=b"POST")
    assert (await ask(server, head + b"1\r\na\r\n0\r\nno field\r\n\r\n")).status == 400
