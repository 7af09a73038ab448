"""With the front door and without it, whatever is sent, however it is cut: the answers are the same but for dates."""

import asyncio
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.core.mapping import MappingFile, MappingTable
from proxy.core.model import AnswerGone, AnswerNotFound, Https, Rule
from proxy.core.pattern import parse_path
from proxy.core.query import Condition, KeepQuery
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule, Window
from proxy.edge.configuration.settings import Endpoint, Limits, Settings, Timeouts
from proxy.edge.server import Server
from tests.edge.peers import Client, Serving, get
from tests.edge.sites import AFTER, CUTOVER, PLACE, rule, rulebook, site
from tests.edge.test_malformed import BAD

PATIENCE = 10.0
DATE = re.compile(rb"\r\nDate: [^\r]*")
SINCE = Window(CUTOVER)


def book() -> Rulebook:
    """Every kind of answer that a front door gives, and some that it does not."""
    rows = b"\n/uk/old https://www.mi.com/new#x\n/uk/older 302 https://www.mi.com/b\n"
    mappings = MappingTable(rows, [MappingFile("uk.csv", 0, range(2, 4))])
    rules = (
        rule("/uk/exact", "/uk/e?a=1"),
        rule("/uk/s/{topic}", "/uk/t/{topic}", 1, headers=((b"X-Rule", b"1"),)),
        rule("/uk/cart/*", "/uk/cart/{*}", 2),
        rule("/uk/id", "/uk/p/{id}", 3, conditions=(Condition(b"id", capture="id"),)),
        Rule(parse_path("/uk/gone/*"), AnswerGone(), "/uk/gone/*", PLACE, 4, window=SINCE),
        Rule(parse_path("/uk/none"), AnswerNotFound(), "/uk/none", PLACE, 5, window=SINCE),
        rule("/uk/post", "/uk/p", 6, methods=frozenset({b"POST"})),
    )
    uk = site(base=b"/uk", rules=rules, mappings=mappings, headers=((b"X-Site", b"uk"),), robots=True)
    drops = site("drops", base=b"/drops", keep_query=KeepQuery(drop=("utm_*",)), cache=60)
    upgrades = site("up", hosts=("up.example", "*.up.example"), https=Https.REDIRECT, hsts=b"max-age=1")
    ended = site("ended", hosts=("ended.example",), schedule=Schedule({"cutover": CUTOVER, "end": CUTOVER}))
    return Rulebook((uk, drops, upgrades, ended), ("www.mi.com",), generation="test")


@dataclass
class Pair:
    """Two servers that differ in nothing but the door."""

    addresses: tuple[Endpoint, Endpoint]

    def ask(self, pieces: list[bytes]) -> tuple[bytes, bytes]:
        """What both say to a client that sends `pieces`, and then nothing more.

        Where a client goes on behind its last answer, the connection may be reset, and some of what was said lost: then
        what both have is compared.
        """
        (first, whole), (second, other_whole) = (_talk(address, pieces) for address in self.addresses)
        if whole and other_whole:
            return first, second
        common = min(len(first), len(second))
        return first[:common], second[:common]


def _talk(address: Endpoint, pieces: list[bytes]) -> tuple[bytes, bool]:
    said, whole = b"", True
    with socket.create_connection((address.host, address.port), timeout=PATIENCE) as sock:
        try:
            for piece in pieces:
                sock.sendall(piece)
            sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(65536):
                said += data
        except TimeoutError:
            raise
        except OSError:
            whole = False
    return DATE.sub(b"\r\nDate: now", said), whole


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with running_pair() as running:
        yield running


@pytest.fixture(scope="module")
def trusting_pair() -> Iterator[Pair]:
    """They believe whoever connects in what it says of its clients."""
    with running_pair(trusted_proxies=(ip_network("127.0.0.1"),)) as running:
        yield running


@contextmanager
def running_pair(**more: Any) -> Iterator[Pair]:
    """Both on an event loop of their own, so that a test can be a plain function."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    common: dict[str, Any] = {"listen": (Endpoint("127.0.0.1", 0),), "admin": None, "at": AFTER} | more
    timeouts = Timeouts(linger=0.2)
    servers = [
        Server(book(), Settings(front_door=front_door, timeouts=timeouts, **common)) for front_door in (True, False)
    ]
    for server in servers:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(PATIENCE)
    yield Pair((servers[0].addresses[0], servers[1].addresses[0]))
    for server in servers:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


PATHS = (
    b"/",
    b"/uk",
    b"/uk/",
    b"/uk/exact",
    b"/uk/exact/",
    b"/uk/s/a%2fb",
    b"/uk/cart",
    b"/uk/cart/a/../b//c;d",
    b"/uk/id",
    b"/uk/gone/x",
    b"/uk/none",
    b"/uk/post",
    b"/uk/old",
    b"/uk/older",
    b"/drops/x",
    b"/robots.txt",
    b"/%zz",
    b"/uk/%7Ea",
    b"/uk/.sunset/notice",
    b"/.well-known/acme-challenge/x",
    b"/ukraine",
    b"//evil.example/",
    b"/\\evil",
    b"/@evil",
    b"/a?b?c",
)
QUERIES = (b"", b"?", b"?a=1", b"?utm_source=x&b=2", b"?id=7&x=/../", b"?=&&", b"?a=%20#f")
HOSTS = (
    b"po.co",
    b"www.po.co",
    b"PO.CO",
    b"po.co:80",
    b"po.co.",
    b"a.up.example",
    b"up.example",
    b"ended.example",
    b"x.example",
    b"po..co",
    b"-",
    b"a_b.up.example",
    b"po.co:99999",
    b"[::1]",
    b"",
    b"po.co, x",
)
FIELDS = (
    b"Accept: */*",
    b"Accept:",
    b"accept:\ta\t",
    b"Connection: keep-alive",
    b"Connection: close",
    b"connection:Close",
    b"Connection: keep-alive, x",
    b"Proxy-Connection: close",
    b"Upgrade: h2c",
    b"Upgrade-Insecure-Requests: 1",
    b"User-Agent: a",
    b"user-agent:b",
    b"Content-Length: 0",
    b"Content-Length: 3",
    b"Content-Type: a/b",
    b"Transfer-Encoding: chunked",
    b"Expect: 100-continue",
    b"Host: po.co",
    b"Cookie: a=b; c=d",
    b"X-Odd: \xc3\xa4\xff",
    b"X-Odd : 1",
    b" folded: 1",
    b"\tx",
    b"nocolon",
    b"X(y): 1",
    b"X-Nul: \x00",
    b"X-Cr: a\rb",
    b"X-Lf: a\nb",
    b"X-Del: \x7f",
    b"Server: x",
    b"ETag: x",
    b"Max-Forwards: 3",
    b"Sec-WebSocket-Key1: x",
    b"Sec-WebSocket-Key: x",
    b"Sec-Fetch-Mode: navigate",
    b"TE: trailers",
    b"Trailer: x",
    b"X-Forwarded-Proto: https",
    b"Content-Encoding: gzip",
    b"Content-Location: x",
    b"Keep-Alive: 1",
    b": x",
    b"Age: " + b"9" * 3000,
)
VERSIONS = (b"HTTP/1.1",) * 8 + (b"HTTP/1.0", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ")
METHODS = (b"GET",) * 6 + (b"HEAD", b"HEAD", b"POST", b"OPTIONS", b"get", b"PROPFIND", b"TRACE", b"CONNECT")


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Mostly well-formed, with something odd now and then."""
    line = b" ".join(
        (
            draw(st.sampled_from(METHODS)),
            draw(st.sampled_from(PATHS)) + draw(st.sampled_from(QUERIES)),
            draw(st.sampled_from(VERSIONS)),
        )
    )
    fields = draw(st.lists(st.sampled_from(FIELDS[:2] if draw(st.booleans()) else FIELDS), max_size=4))
    fields.insert(draw(st.integers(0, len(fields))), b"Host: " + draw(st.sampled_from(HOSTS)))
    end = draw(st.sampled_from((b"\r\n",) * 12 + (b"\n",)))
    behind: bytes = draw(st.sampled_from((b"",) * 4 + (b"abc", b"\r\n")))
    return b"".join((*(one + end for one in (line, *fields)), end, behind))


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    places = sorted(chance.sample(range(len(data) + 1), min(chance.randrange(4), len(data))))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@settings(max_examples=400)
@given(stream=st.lists(requests(), min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_the_same_requests_get_the_same_answers(pair: Pair, stream: list[bytes], seed: int) -> None:
    with_door, without = pair.ask(cut(b"".join(stream), random.Random(seed)))
    assert with_door == without


TOLD = (
    b"X-Forwarded-Proto: https",
    b"x-forwarded-proto:http",
    b"X-FORWARDED-PROTO: \tHTTPS ",
    b"X-Forwarded-Proto: https, http",
    b"X-Forwarded-Proto: wss",
    b"X-Forwarded-Proto:",
    b"X-Forwarded-Proto: httpss",
    b"X-Forwarded-Protocol: https",
    b"X: x-forwarded-proto: https",
    b"X-Forwarded-For: 203.0.113.7",
    b"X-Forwarded-For: 203.0.113.7, 127.0.0.1",
    b"X-Forwarded-For: evil",
    b"Forwarded: for=203.0.113.7;proto=https",
)


@settings(max_examples=300)
@given(
    told=st.lists(st.sampled_from(TOLD), max_size=3),
    host=st.sampled_from((b"po.co", b"a.up.example")),
    path=st.sampled_from(PATHS),
)
def test_the_same_is_believed_of_trusted_proxies(
    trusting_pair: Pair, told: list[bytes], host: bytes, path: bytes
) -> None:
    with_door, without = trusting_pair.ask([get(path, host, *told) + get(path, host)])
    assert with_door == without
    assert with_door.count(b"HTTP/1.1 ") == 2


@settings(max_examples=200)
@given(path=st.binary(max_size=60), host=st.binary(max_size=20), field=st.binary(max_size=40))
def test_the_same_bytes_get_the_same_answers(pair: Pair, path: bytes, host: bytes, field: bytes) -> None:
    head = b"GET /uk/" + path + b" HTTP/1.1\r\nHost: po.co" + host + b"\r\n" + field + b"\r\n\r\n"
    with_door, without = pair.ask([head])
    assert with_door == without


@pytest.mark.parametrize("request_bytes", BAD.values(), ids=BAD)
def test_what_is_malformed_is_so_at_both(pair: Pair, request_bytes: bytes) -> None:
    with_door, without = pair.ask([get(b"/uk/exact"), request_bytes])
    assert with_door == without
    assert with_door.startswith(b"HTTP/1.1 301 ")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", HOSTS[:9])
def test_every_kind_of_answer_is_the_same(pair: Pair, path: bytes, host: bytes) -> None:
    for method in (b"GET", b"HEAD"):
        for query in QUERIES:
            with_door, without = pair.ask([get(path + query, host, b"User-Agent: x", method=method)])
            assert with_door == without
            assert with_door.startswith(b"HTTP/1.1 ")


async def test_what_is_plain_does_not_leave_the_door(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER)
    async with await Client.to(server) as client:
        client.send(get(b"/a") + get(b"/b", b"po.co", b"Connection: keep-alive") + get(b"/c")[:-1])
        assert [(await client.answer()).status for _ in range(2)] == [301, 301]
        client.send(b"\n")
        assert (await client.answer()).one(b"Location") == b"https://www.mi.com/uk/c"
        assert {type(one).__name__ for one in server.clients} == {"Door"}
        client.send(get(b"/d", method=b"POST"))
        assert (await client.answer()).status == 308
        assert {type(one).__name__ for one in server.clients} == {"Connection"}


async def test_the_last_request_of_a_connection_is_told_so(serving: Serving) -> None:
    for front_door in (True, False):
        server = await serving(rulebook(), at=AFTER, front_door=front_door, limits=Limits(requests=2))
        async with await Client.to(server) as client:
            client.send(get(b"/a") * 5)
            assert [(await client.answer()).all(b"Connection") for _ in range(2)] == [[], [b"close"]]
            assert await client.rest() == b""


async def test_a_client_that_does_not_read_is_not_answered_without_end(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, limits=Limits(requests=10**9))
    async with await Client.to(server) as client:
        client.writer.transport.set_write_buffer_limits(high=2**16)
        asked = 0
        for _ in range(1000):
            client.send(get(b"/" + b"x" * 4000) * 10)
            asked += 10
            try:
                async with asyncio.timeout(0.2):
                    await client.writer.drain()
            except TimeoutError:
                break
        else:
            pytest.fail("everything was taken in")
        for _ in range(asked):
            assert (await client.answer()).status == 301
