"""Malformed and hostile requests, byte by byte: what each gets, and that nothing of it comes back or is run."""

import asyncio
import logging
import random

import pytest

from proxy.edge.configuration.settings import Timeouts
from proxy.edge.server import Server
from tests.edge.peers import Client, Originating, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook, site

HOST = b"Host: po.co\r\n"
END = b"\r\n\r\n"

BAD = {
    # the request line
    "no protocol": b"GET /\r\n" + HOST + END,
    "a protocol of another age": b"GET / HTTP/0.9\r\n" + HOST + b"\r\n",
    "HTTP/2.0 in a request line": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": b"FETCH / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xab" * 200,
    "a bare CR before": b"\r" + get(b"/"),
    "a bare LF before": b"\n" + get(b"/"),
    "a bare CR behind an empty line": b"\r\n\r" + get(b"/"),
    "a blank in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target outside of ASCII": get(b"/caf\xc3\xa9"),
    "NUL in the target": b"GET /a\0b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tab in the target": b"GET /a\tb HTTP/1.1\r\n" + HOST + b"\r\n",
    "a relative target": b"GET index.html HTTP/1.1\r\n" + HOST + b"\r\n",
    "an asterisk that is not for OPTIONS": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target of an unknown scheme": b"GET pany://x/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target with user info": b"GET http://a@po.co/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target, and a Host that is none": b"GET http://po.co/ HTTP/1.1\r\nHost: a b" + END,
    # hosts
    "no Host": b"GET / HTTP/1.1\r\nAccept: */*" + END,
    "no Host on HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "two Hosts that differ": b"GET / HTTP/1.1\r\n" + HOST + b"host: evil.example" + END,
    "two Hosts on HTTP/1.0": b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n",
    "an empty Host": get(b"/", b""),
    "a list of Hosts": get(b"/", b"po.co,evil.example"),
    "a Host with a path": get(b"/", b"po.co/x"),
    "a Host with user info": get(b"/", b"poco.in@169.254.169.254"),
    "a Host with a port that is none": get(b"/", b"po.co:99999"),
    "a Host with a blank": get(b"/", b"po.co evil"),
    "a Host outside of ASCII": get(b"/", b"p\xc3\xb6.co"),
    "a Host that is no UTF-8": get(b"/", b"p\xff.co"),
    # framing
    "two lengths": get(b"/", b"po.co", b"Content-Length: 1", b"Content-Length: 1") + b"x",
    "a list of lengths": get(b"/", b"po.co", b"Content-Length: 1, 1") + b"x",
    "a length with a sign": get(b"/", b"po.co", b"Content-Length: +1") + b"x",
    "a length below zero": get(b"/", b"po.co", b"Content-Length: -1"),
    "a length in hex": get(b"/", b"po.co", b"Content-Length: 0x1") + b"x",
    "a length beyond all": get(b"/", b"po.co", b"Content-Length: 99999999999999999999999"),
    "length and chunks": get(b"/", b"po.co", b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "an empty coding beside a length": get(b"/", b"po.co", b"Transfer-Encoding:", b"Content-Length: 1") + b"x",
    "an empty coding": get(b"/", b"po.co", b"Transfer-Encoding:"),
    "an unknown coding": get(b"/", b"po.co", b"Transfer-Encoding: zip"),
    "two codings": get(b"/", b"po.co", b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "chunked twice": get(b"/", b"po.co", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "almost chunked": get(b"/", b"po.co", b"Transfer-Encoding: xchunked"),
    "chunks on HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked" + END + b"0\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: po.co\n\n",
    "a folded line": get(b"/", b"po.co", b"X: a\r\n b"),
    "a blank before the colon": get(b"/", b"po.co", b"X : a"),
    "a field without a colon": get(b"/", b"po.co", b"X"),
    "a field without a name": get(b"/", b"po.co", b": x"),
    "NUL in a field": get(b"/", b"po.co", b"X: a\0b"),
    "CR in a field": get(b"/", b"po.co", b"X: a\rb"),
    "a name outside of ASCII": get(b"/", b"po.co", b"X\xe9: a"),
}

REFUSED = {
    "a target that is too long": (414, get(b"/" + b"a" * 8192)),
    "a target that is far too long": (414, get(b"/" + b"a" * 200_000)),
    "a field that is too long": (431, get(b"/", b"po.co", b"X: " + b"a" * 9000)),
    "a name that is too long": (431, get(b"/", b"po.co", b"X" * 9000 + b": a")),
    "a field that is far too long": (431, get(b"/", b"po.co", b"X: " + b"a" * 500_000)),
    "too many fields": (431, get(b"/", b"po.co", *[b"X-%d: a" % number for number in range(500)])),
    "CONNECT": (405, b"CONNECT po.co:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "TRACE": (405, get(b"/", method=b"TRACE")),
}

CASES = {name: (400, request) for name, request in BAD.items()} | REFUSED


@pytest.fixture
async def server(serving: Serving) -> Server:
    return await serving(rulebook(), at=AFTER)


@pytest.mark.parametrize(("status", "request_bytes"), CASES.values(), ids=CASES)
async def test_a_bad_request_is_refused_shortly_and_ends_the_connection(
    server: Server, status: int, request_bytes: bytes
) -> None:
    async with await Client.to(server) as client:
        client.send(request_bytes)
        answer = await client.answer()
        assert answer.status == status
        assert answer.one(b"Connection") == b"close"
        assert len(answer.body) <= 200
        assert answer.body.startswith(b"%d " % status)
        assert not answer.all(b"Server")
        if status == 405:
            assert b"GET" in answer.one(b"Allow")
        assert await client.rest() == b""


@pytest.mark.parametrize("request_bytes", BAD.values(), ids=BAD)
async def test_a_bad_request_gets_the_same_when_it_comes_byte_by_byte(server: Server, request_bytes: bytes) -> None:
    async with await Client.to(server) as client:
        for byte in request_bytes[:300]:
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await client.answer()).status == 400


async def test_nothing_that_a_client_sent_comes_back_or_is_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    marker = b"xyzzy"
    with caplog.at_level(logging.DEBUG):
        for request in (
            get(b"/" + marker, b"a b"),
            get(b"/" + marker + b"\0"),
            marker.upper() + b" / HTTP/1.1" + END,
            get(b"/", b"po.co", marker),
            get(b"/", b"po.co", marker + b": " + b"a" * 9000),
        ):
            answer = await ask(server, request)
            assert marker not in answer.body.lower()
            assert marker not in b"".join(name + value for name, value in answer.headers).lower()
    assert marker.decode() not in caplog.text.lower()
    assert "Traceback" not in caplog.text


async def test_many_bad_requests_write_few_lines(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for _ in range(100):
            assert (await ask(server, b"nonsense" + END)).status == 400
    lines = [record for record in caplog.records if "malformed" in record.getMessage()]
    assert 1 <= len(lines) <= 5
    assert all(record.exc_info is None for record in lines)


SMUGGLED = get(b"/smuggled")


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_that_nobody_wants_is_never_run_as_a_request(
    server: Server, *, chunked: bool, whole: bool
) -> None:
    field = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(SMUGGLED)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED) if chunked else SMUGGLED
    head = get(b"/form", b"po.co", field, method=b"POST")
    async with await Client.to(server) as client:
        if whole:
            client.send(head + body)
            assert (await client.answer()).one(b"Location").endswith(b"/form")
            client.send(get(b"/next", b"po.co", b"Connection: close"))
            assert (await client.answer()).one(b"Location").endswith(b"/next")
        else:
            client.send(head)
            answer = await client.answer()
            assert answer.status == 308
            assert answer.one(b"Connection") == b"close"
            client.send(body + get(b"/next"))
        assert await client.rest() == b""


async def test_a_body_that_waits_to_be_asked_for_is_not_asked_for_in_vain(server: Server) -> None:
    async with await Client.to(server) as client:
        client.send(get(b"/form", b"po.co", b"Content-Length: 3", b"Expect: 100-continue", method=b"POST"))
        answer = await client.answer()
        assert answer.status == 308
        assert answer.one(b"Connection") == b"close"


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"5\r\nabcdefgh", b"-1\r\n", b"1;\0\r\nx", b"fffffffffffffffff\r\n", b"3\nabc\n"]
)
async def test_a_body_in_bad_chunks_is_no_fault_of_ours(
    server: Server, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", b"Transfer-Encoding: chunked", method=b"POST"))
        assert (await client.answer()).status == 308
        client.send(body)
        assert await client.rest() in {b"", b"400 malformed request\n"}
    assert "internal" not in caplog.text


async def test_what_follows_an_upgrade_that_is_not_granted_is_answered(server: Server) -> None:
    async with await Client.to(server) as client:
        upgrade = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13")
        client.send(get(b"/socket", b"po.co", *upgrade) + get(b"/next"))
        assert (await client.answer()).one(b"Location").endswith(b"/socket")
        assert (await client.answer()).one(b"Location").endswith(b"/next")


async def test_a_client_that_sends_no_more_still_gets_its_answers(server: Server) -> None:
    async with await Client.to(server) as client:
        client.send(get(b"/1") + get(b"/2") + get(b"/3"))
        client.writer.write_eof()
        for number in (b"1", b"2", b"3"):
            assert (await client.answer()).one(b"Location").endswith(b"/" + number)
        assert await client.rest() == b""


async def test_a_client_that_sends_no_more_still_gets_what_the_origin_answers(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating(hold=True)
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/slow"))
        client.writer.write_eof()
        await origin.asked.wait()
        origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        assert (await client.answer()).body == b"late"
        assert await client.rest() == b""


async def test_nobody_waits_for_the_rest_of_a_body_behind_the_end(serving: Serving, originating: Originating) -> None:
    origin = await originating(hold=True)
    long = Timeouts(body=60.0, unread=60.0)
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, timeouts=long)
    async with await Client.to(server) as client:
        cut_off = get(b"/cut", b"po.co", b"Transfer-Encoding: chunked", method=b"POST") + b"3\r\n"
        client.send(get(b"/slow") + cut_off)
        client.writer.write_eof()
        await origin.asked.wait()
        origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        assert (await client.answer()).body == b"late"
        assert b" 200 " not in await client.rest()


async def test_half_a_request_and_then_nothing_is_no_request(server: Server) -> None:
    async with await Client.to(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: po")
        client.writer.write_eof()
        assert await client.rest() == b""


async def test_many_requests_at_once_are_answered_in_their_order(server: Server) -> None:
    async with await Client.to(server) as client:
        client.send(b"".join(get(b"/%d" % number) for number in range(200)))
        for number in range(200):
            assert (await client.answer()).one(b"Location") == b"https://www.mi.com/uk/%d" % number


async def test_no_bytes_bring_the_server_down(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Good requests with bytes changed at random: an answer below 500, or an end, and the server goes on."""
    chance = random.Random(2024)
    seeds = [
        get(b"/a?b=%20", b"po.co", b"Accept: */*"),
        get(b"http://po.co:80/a", b"po.co"),
        get(b"//[::1]/x", b"[::1]:80"),
        get(b"/f", b"po.co", b"Content-Length: 3", method=b"POST") + b"abc",
        get(b"/f", b"po.co", b"Transfer-Encoding: chunked", method=b"POST") + b"3\r\nabc\r\n0\r\n\r\n",
        b"CONNECT po.co:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        get(b"*", b"po.co", method=b"OPTIONS"),
    ]
    for _ in range(400):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(b"\0\t\n\r /:@[]%#?*,;\\\x80\xffaZ09")
        async with await Client.to(server) as client:
            client.send(bytes(data))
            client.writer.write_eof()
            try:
                everything = await client.rest()
            except ConnectionResetError:
                continue
            assert not everything or b"HTTP/1.1 2" <= everything[:10] < b"HTTP/1.1 5", data
    assert "internal" not in caplog.text
    assert "Fatal" not in caplog.text
    assert (await ask(server, get(b"/"))).status == 301


async def test_a_fault_of_our_own_is_an_answer_too(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """A rulebook that nothing could have loaded: a field of its answers is text where only bytes can be sent."""
    server = await serving(rulebook(site(headers=((b"X-Broken", "text"),))), at=AFTER)
    answer = await ask(server, get(b"/"))
    assert answer.status == 500
    assert answer.body == b"500 internal error\n"
    assert "internal error" in caplog.text
