"""Several origins of one site: who is asked, who is left out, and what is never asked twice."""

import asyncio
import socket
from collections import Counter
from typing import Any

import pytest

from proxy.core.model import HostSent, Origin
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Timeouts
from proxy.edge.server import Server
from tests.edge.peers import OK, Client, Originating, Serving, ask, get
from tests.edge.sites import BEFORE, forwarding, rulebook, site

SOON = Timeouts(connect=0.3, answer=0.2, linger=0.1, left_out=10.0)


class Watch:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.clock = Clock(BEFORE, steady=lambda: self.seconds)


async def start(serving: Serving, *origins: Origin, clock: Clock | None = None, **keys: Any) -> Server:
    one = forwarding(origins[0], **keys)
    return await serving(
        rulebook(site(origins=origins, schedule=one.schedule, **keys)), clock=clock or Clock(BEFORE), timeouts=SOON
    )


def nobody() -> Origin:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return Origin("http", "127.0.0.1", int(sock.getsockname()[1]))


def errors(server: Server) -> dict[str, int]:
    return {reason: count for (_, reason), count in server.counts.upstream_errors.items()}


async def test_each_is_asked_in_its_turn(serving: Serving, originating: Originating) -> None:
    origins = [await originating() for _ in range(3)]
    server = await start(serving, *(origin.origin for origin in origins))
    for _ in range(6):
        assert (await ask(server, get(b"/"))).status == 200
    assert [len(origin.received) for origin in origins] == [2, 2, 2]
    assert errors(server) == {}


@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"])
@pytest.mark.parametrize("body", [b"", b"abc"])
async def test_who_cannot_be_reached_is_passed_over_and_left_out_for_a_while(
    serving: Serving, originating: Originating, method: bytes, body: bytes
) -> None:
    watch = Watch()
    origin = await originating()
    server = await start(serving, nobody(), origin.origin, clock=watch.clock)
    request = get(b"/", b"po.co", b"Content-Length: %d" % len(body), method=method) + body
    for _ in range(4):
        assert (await ask(server, request)).status == 200
    assert errors(server) == {"connect": 1}
    assert [received.body for received in origin.received] == [body] * 4
    watch.seconds += SOON.left_out
    for _ in range(4):
        assert (await ask(server, request)).status == 200
    assert errors(server) == {"connect": 2}


async def test_who_comes_back_is_asked_again(serving: Serving, originating: Originating) -> None:
    watch = Watch()
    well = await originating()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        ill = Origin("http", *sock.getsockname())
        server = await start(serving, ill, well.origin, clock=watch.clock)
        assert (await ask(server, get(b"/"))).status == 200

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            asked.append(1)
            writer.write(OK)
        writer.close()

    asked: list[int] = []
    async with await asyncio.start_server(serve, ill.host, ill.port):
        watch.seconds += SOON.left_out
        for _ in range(4):
            assert (await ask(server, get(b"/"))).status == 200
        await server.stop()
    assert len(asked) == 2


async def test_where_all_are_left_out_all_are_tried(serving: Serving) -> None:
    server = await start(serving, nobody(), nobody())
    for _ in range(2):
        assert (await ask(server, get(b"/"))).status == 502
    assert errors(server) == {"connect": 4}


async def test_the_only_origin_is_never_left_out(serving: Serving, originating: Originating) -> None:
    origin = await originating(b"", close=True)
    server = await start(serving, origin.origin)
    for _ in range(3):
        assert (await ask(server, get(b"/"))).status == 502
    assert origin.connections == 3


@pytest.mark.parametrize(("method", "statuses"), [(b"GET", [200, 200]), (b"POST", [200, 502])])
async def test_only_what_changes_nothing_is_asked_of_another_once_it_was_sent(
    serving: Serving, originating: Originating, method: bytes, statuses: list[int]
) -> None:
    breaks, works = await originating(b"", close=True), await originating()
    server = await start(serving, breaks.origin, works.origin, clock=Watch().clock)
    got = Counter([(await ask(server, get(b"/", method=method))).status for _ in range(2)])
    assert got == Counter(statuses)
    assert len(breaks.received) == 1
    assert errors(server) == {"disconnected": 1}


async def test_who_answers_too_late_is_left_out(serving: Serving, originating: Originating) -> None:
    late, works = await originating(hold=True), await originating()
    server = await start(serving, late.origin, works.origin, clock=Watch().clock)
    assert [(await ask(server, get(b"/"))).status for _ in range(4)] == [504, 200, 200, 200]
    assert len(late.received) == 1
    assert errors(server) == {"answer-timeout": 1}


async def test_a_body_is_asked_for_once_there_is_an_origin(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    server = await start(serving, nobody(), origin.origin)
    async with await Client.to(server) as client:
        client.send(get(b"/", b"po.co", b"Content-Length: 3", b"Expect: 100-continue", method=b"PUT"))
        assert (await client.answer()).status == 100
        client.send(b"abc")
        assert (await client.answer()).status == 200
    assert origin.received[0].body == b"abc"


# The name that an origin is asked by


async def test_the_origin_is_asked_for_the_clients_host(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    await ask(await start(serving, origin.origin), get(b"/", b"PO.co:80"))
    assert origin.received[0].all(b"Host") == [b"PO.co:80"]


async def test_the_origin_is_asked_for_its_own_name_where_the_rule_file_says_so(
    serving: Serving, originating: Originating
) -> None:
    dead, origin = nobody(), await originating()
    server = await start(serving, dead, origin.origin, host=HostSent.ORIGIN)
    await ask(server, get(b"/", b"po.co"))
    (received,) = origin.received
    assert received.all(b"Host") == [b"127.0.0.1:%d" % origin.origin.port]
    assert received.all(b"X-Forwarded-Host") == [b"po.co"]
    assert received.all(b"Forwarded") == [b"for=127.0.0.1;host=po.co;proto=http"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (Origin("http", "legacy.example", 80), b"legacy.example"),
        (Origin("https", "legacy.example", 443), b"legacy.example"),
        (Origin("https", "legacy.example", 80), b"legacy.example:80"),
        (Origin("http", "::1", 8080), b"[::1]:8080"),
        (Origin("https", "::1", 443), b"[::1]"),
    ],
)
def test_a_port_is_named_where_it_is_not_the_usual_one(origin: Origin, host: bytes) -> None:
    assert origin.authority == host
