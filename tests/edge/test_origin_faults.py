"""Origins that fail: who is told what, what is tried again, and what is never passed on."""

import asyncio
import logging
import socket
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_network

import pytest

from proxy.core.model import Origin
from proxy.edge.configuration.settings import Timeouts
from proxy.edge.server import Server
from tests.edge.peers import OK, Answer, Client, Originating, Scripting, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, forwarding, passing_through, rulebook, site

SOON = Timeouts(connect=0.5, answer=0.5, silence=0.5, body=0.2, linger=0.1)


def check_page(answer: Answer, status: int, title: str) -> None:
    assert answer.status == status
    assert answer.one(b"Cache-Control") == b"no-store"
    assert int(answer.one(b"Retry-After")) > 0
    assert answer.one(b"Content-Type") == b"text/html; charset=utf-8"
    assert title in answer.body.decode()


async def start(serving: Serving, origin: Origin, **keys: object) -> Server:
    return await serving(rulebook(forwarding(origin, language="fr", **keys)), at=BEFORE, timeouts=SOON)


def errors(server: Server) -> dict[str, int]:
    return {reason: count for (name, reason), count in server.counts.upstream_errors.items() if name == "uk"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def test_an_origin_that_refuses_is_502(serving: Serving) -> None:
    server = await start(serving, Origin("http", "127.0.0.1", free_port()))
    check_page(await ask(server, get(b"/")), 502, "inaccessible")
    assert errors(server) == {"connect": 1}


async def test_a_name_that_nobody_knows_is_502(serving: Serving) -> None:
    server = await start(serving, Origin("http", "nowhere.invalid", 80))
    check_page(await ask(server, get(b"/")), 502, "inaccessible")
    assert errors(server) == {"dns": 1}


async def test_a_name_that_leads_to_this_machine_is_502_unless_it_is_listed(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating()
    named = Origin("http", "localhost", origin.origin.port)
    server = await start(serving, named)
    check_page(await ask(server, get(b"/")), 502, "inaccessible")
    assert errors(server) == {"address-refused": 1}
    assert origin.connections == 0
    listed = await start(serving, named, origin_networks=(ip_network("127.0.0.0/8"),))
    assert (await ask(listed, get(b"/"))).status == 200


async def test_an_origin_that_speaks_no_tls_is_502(serving: Serving, scripting: Scripting) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    origin = await scripting(serve)
    server = await start(serving, replace(origin, scheme="https"))
    check_page(await ask(server, get(b"/")), 502, "inaccessible")
    assert errors(server) == {"tls": 1}


async def test_a_site_without_an_origin_is_502(serving: Serving) -> None:
    server = await serving(rulebook(site(language="fr")), at=BEFORE)
    check_page(await ask(server, get(b"/")), 502, "inaccessible")


async def test_an_origin_that_does_not_take_connections_is_504(serving: Serving) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        waiting = [socket.socket() for _ in range(8)]  # fill the backlog, so that a handshake waits
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(sock.getsockname())
        server = await start(serving, Origin("http", *sock.getsockname()))
        answer = await ask(server, get(b"/"))
        for other in waiting:
            other.close()
    check_page(answer, 504, "trop de temps")


async def test_an_origin_that_does_not_answer_is_504(serving: Serving, originating: Originating) -> None:
    origin = await originating(hold=True)
    server = await start(serving, origin.origin)
    check_page(await ask(server, get(b"/")), 504, "trop de temps")
    answer = await ask(server, get(b"/", b"po.co", b"Content-Length: 1", method=b"POST") + b"x")
    check_page(answer, 504, "trop de temps")
    assert errors(server) == {"answer-timeout": 2}


@pytest.mark.parametrize("answered", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_an_origin_that_hangs_up_is_502(serving: Serving, originating: Originating, answered: bytes) -> None:
    for how in ({"close": True}, {"reset": True}):
        origin = await originating(answered, **how)
        server = await start(serving, origin.origin)
        check_page(await ask(server, get(b"/")), 502, "inaccessible")
        assert origin.connections == 1


MALFORMED = {
    "bare LF at the end of a line": b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 2\r\n\r\nok",
    "bare LF throughout": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare LF behind an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok",
    "nonsense": b"nonsense\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab",
    "NUL in a field": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    "CR in a field": b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    "a control in the reason": b"HTTP/1.1 200 O\x0bK\r\nContent-Length: 0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an empty coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a body on 204": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    "a body on hints": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok" + OK,
    "a folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a blank before a colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "protocols switched unasked": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "a field of 100 KB": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "a thousand fields": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 50_000,
    "a line without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000,
}


@pytest.mark.parametrize("answered", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_answer_is_502(serving: Serving, originating: Originating, answered: bytes) -> None:
    origin = await originating(answered)
    server = await start(serving, origin.origin)
    check_page(await ask(server, get(b"/")), 502, "inaccessible")
    assert errors(server) == {"malformed": 1}


CUT = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "within a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
}


@pytest.mark.parametrize("how", ["close", "reset", "hold on"])
@pytest.mark.parametrize("answered", CUT.values(), ids=CUT)
async def test_an_answer_that_is_broken_off_never_ends_cleanly(
    serving: Serving, originating: Originating, answered: bytes, how: str
) -> None:
    origin = await originating(answered, close=how == "close", reset=how == "reset")
    server = await start(serving, origin.origin)
    async with await Client.to(server) as client:
        client.send(get(b"/"))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await client.answer()
    assert sum(errors(server).values()) == 1


NONSENSE = {
    "no size": b"zz\r\n",
    "a size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size of 17 digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
    "a size with a bare LF": b"3\nabc\r\n0\r\n\r\n",
    "a chunk with a bare LF": b"3\r\nabc\n0\r\n\r\n",
    "a chunk that is too long": b"3\r\nabcd\r\n0\r\n\r\n",
    "an extension without end": b"3;" + b"x" * 100_000,
    "a trailer that is none": b"0\r\nX\r\n\r\n",
    "a trailer with a CR": b"0\r\nX: a\rY: b\r\n\r\n",
    "trailers without end": b"0\r\n" + b"X: a\r\n" * 50_000,
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
async def test_an_answer_that_becomes_nonsense_never_ends_cleanly(
    serving: Serving, scripting: Scripting, nonsense: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await seen.wait()
        writer.write(nonsense)
        await reader.read()

    seen = asyncio.Event()
    origin = await scripting(serve)
    server = await serving(rulebook(forwarding(origin)), at=BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/"))
        await client.reader.readuntil(b"abc")
        seen.set()
        with pytest.raises(ConnectionResetError):
            await client.rest()
    assert errors(server) == {"broken-off": 1}


async def test_an_answer_that_breaks_off_resets_a_client_that_waits_for_the_end(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating(CUT["a length"], close=True)
    server = await start(serving, origin.origin)
    async with await Client.to(server) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: po.co\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await client.rest()


# Trying again


async def test_a_kept_connection_that_died_is_replaced_unseen(serving: Serving, originating: Originating) -> None:
    for method in (b"GET", b"HEAD"):
        origin = await originating(OK if method == b"GET" else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        origin.dies_after = 1
        server = await start(serving, origin.origin)
        for _ in range(2):
            assert (await ask(server, get(b"/", method=method), method)).status == 200
        assert origin.connections == 2
        assert errors(server) == {}


@pytest.mark.parametrize(
    ("field", "body"), [(b"Content-Length: 3", b"abc"), (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n")]
)
async def test_a_body_that_has_come_whole_goes_on_the_new_connection_too(
    serving: Serving, originating: Originating, field: bytes, body: bytes
) -> None:
    origin = await originating(OK)
    origin.dies_after = 1
    server = await start(serving, origin.origin)
    for _ in range(2):
        assert (await ask(server, get(b"/", b"po.co", field) + body)).status == 200
    assert [received.body for received in origin.received] == [b"abc"] * 3
    assert origin.connections == 2


async def test_what_may_have_been_done_is_not_done_twice(serving: Serving, originating: Originating) -> None:
    origin = await originating(OK)
    origin.dies_after = 1
    server = await start(serving, origin.origin)
    post = get(b"/", b"po.co", b"Content-Length: 1", method=b"POST") + b"x"
    assert (await ask(server, post)).status == 200
    check_page(await ask(server, post), 502, "inaccessible")
    assert [received.head[:4] for received in origin.received] == [b"POST"] * 2
    delete = get(b"/", method=b"DELETE")
    assert (await ask(server, delete)).status == 200
    check_page(await ask(server, delete), 502, "inaccessible")


async def test_a_fresh_connection_that_dies_is_not_tried_again(serving: Serving, originating: Originating) -> None:
    origin = await originating(b"", close=True)
    server = await start(serving, origin.origin)
    check_page(await ask(server, get(b"/")), 502, "inaccessible")
    assert len(origin.received) == 1


async def test_bytes_that_nobody_asked_for_never_become_an_answer(serving: Serving, originating: Originating) -> None:
    poisoned = OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    origin = await originating(poisoned, OK)
    server = await start(serving, origin.origin)
    for _ in range(3):
        assert (await ask(server, get(b"/"))).body == b"ok"


async def test_bytes_that_come_late_never_become_an_answer(serving: Serving, scripting: Scripting) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)

    origin = await scripting(serve)
    server = await start(serving, origin)
    assert (await ask(server, get(b"/"))).body == b"ok"
    writers[0].write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
    await asyncio.sleep(0.05)
    assert (await ask(server, get(b"/"))).body == b"ok"
    assert len(writers) == 2


# Clients that fail


async def test_a_client_that_goes_away_lets_the_origin_go(serving: Serving, scripting: Scripting) -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
        with suppress(ConnectionResetError):
            await reader.read()
        gone.set()

    origin = await scripting(serve)
    server = await serving(rulebook(forwarding(origin)), at=BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/"))
        await client.reader.readuntil(b"abc")
        client.reset()
        async with asyncio.timeout(5):
            await gone.wait()


@pytest.mark.parametrize(
    ("field", "begun", "rest", "status"),
    [
        (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n", b"zz\r\n", 400),
        (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n", b"", 408),
        (b"Content-Length: 10", b"abc", b"", 408),
    ],
)
async def test_a_body_that_breaks_off_never_reaches_the_origin_whole(
    serving: Serving, scripting: Scripting, field: bytes, begun: bytes, rest: bytes, status: int
) -> None:
    begins = asyncio.Event()
    ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"abc")
        begins.set()
        ended.set_result(await reader.read())

    origin = await scripting(serve)
    server = await start(serving, origin)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", field, method=b"POST") + begun)
        await begins.wait()
        client.send(rest)
        answer = await client.answer()
        assert answer.status == status
        assert answer.one(b"Connection") == b"close"
    async with asyncio.timeout(5):
        assert not (await ended).endswith(b"0\r\n\r\n")
    assert errors(server) == {}


async def test_an_origin_that_takes_no_more_of_a_body_is_504(serving: Serving, scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001 - a peer that is stuck
        await stop.wait()

    stop = asyncio.Event()
    origin = await scripting(serve)
    server = await start(serving, origin)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", b"Content-Length: 50000000", method=b"POST") + b"x" * 50_000_000)
        assert (await client.answer()).status == 504
    stop.set()


# What does not depend on the origin


async def test_after_the_cutover_the_origin_does_not_matter(serving: Serving) -> None:
    server = await serving(rulebook(site(origins=(Origin("http", "127.0.0.1", free_port()),))), at=AFTER)
    assert (await ask(server, get(b"/x"))).status == 301


async def test_one_site_does_not_suffer_from_anothers_origin(serving: Serving, originating: Originating) -> None:
    good, bad = await originating(), await originating(hold=True)
    sites = (forwarding(good.origin), passing_through(bad.origin, hosts=("poco.in",)))
    server = await serving(rulebook(*sites), at=BEFORE)
    async with await Client.to(server) as stuck:
        stuck.send(get(b"/", b"poco.in"))
        assert (await ask(server, get(b"/"))).status == 200


async def test_faults_of_an_origin_are_logged_in_few_lines(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    server = await start(serving, Origin("http", "127.0.0.1", free_port()))
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            await ask(server, get(b"/"))
    lines = [record.getMessage() for record in caplog.records if "origin failed" in record.getMessage()]
    assert 1 <= len(lines) <= 5
    assert "uk: connect" in lines[0]
    assert errors(server) == {"connect": 50}
