"""Connections to an origin: how many there are, how long they are kept, and who gets one next."""

import asyncio
import ssl
from typing import Any

import pytest
import trustme

from proxy.core.model import Origin, OriginTls
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Limits, Settings, Timeouts
from proxy.edge.origins.exchange import Exchange
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.edge.origins.upstream import Upstream
from tests.edge.peers import PATIENCE, Originating, Scripting
from tests.edge.sites import passing_through

GET = b"GET / HTTP/1.1\r\nHost: po.co\r\n\r\n"


def upstream(most: int = 2, **timeouts: Any) -> Upstream:
    return Upstream(Settings(limits=Limits(origin_connections=most), timeouts=Timeouts(**timeouts)), Clock())


async def fetch(exchange: Exchange) -> bytes:
    """One request and its answer, after which the connection is given back."""
    async with asyncio.timeout(PATIENCE):
        exchange.send_head(GET, b"GET")
        exchange.await_answer()
        await exchange.answer(lambda _: None)
        body = b""
        while piece := await exchange.read():
            body += piece
    exchange.close(clean=True)
    return body


async def test_a_connection_is_used_again_the_last_one_first(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream()
    first, second = [await connections.open(origin.origin, site) for _ in range(2)]
    assert [first.reused, second.reused] == [False, False]
    for exchange in (first, second):
        assert await fetch(exchange) == b"ok"
    for _ in range(3):
        exchange = await connections.open(origin.origin, site)
        assert exchange.reused
        assert await fetch(exchange) == b"ok"
    assert origin.connections == 2
    assert origin.answered == [1, 4]
    await connections.close()


async def test_a_fresh_connection_had_no_request_before(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream(most=1)
    await fetch(await connections.open(origin.origin, site))
    fresh = await connections.open(origin.origin, site, fresh=True)
    assert not fresh.reused
    assert await fetch(fresh) == b"ok"
    assert origin.connections == 2
    await connections.close()


async def test_who_comes_when_all_are_in_use_waits_in_line(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream(most=1)
    exchange = await connections.open(origin.origin, site)
    served = []

    async def ask(number: int) -> None:
        await fetch(await connections.open(origin.origin, site))
        served.append(number)

    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(ask(number))
        await asyncio.sleep(0)
        await fetch(exchange)
    assert served == [0, 1, 2, 3, 4]
    assert origin.connections == 1
    await connections.close()


async def test_the_place_of_a_connection_that_is_gone_is_free(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream(most=1)
    for _ in range(3):
        exchange = await connections.open(origin.origin, site)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(connections.open(origin.origin, site))
            await asyncio.sleep(0)
            exchange.close(clean=False)
        waiting.result().close(clean=False)
    assert origin.connections == 6
    await connections.close()


async def test_nobody_waits_in_line_for_ever(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream(most=1, connect=0.05)
    exchange = await connections.open(origin.origin, site)
    for fresh in (False, True):
        with pytest.raises(UpstreamError) as caught:
            await connections.open(origin.origin, site, fresh=fresh)
        assert caught.value.reason is Reason.CONNECT_TIMEOUT
    await fetch(exchange)
    assert await fetch(await connections.open(origin.origin, site)) == b"ok"
    assert origin.connections == 1
    await connections.close()


async def test_a_place_is_free_after_a_connection_that_did_not_come_about(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream(most=1)
    nobody = Origin("http", "127.0.0.1", 1)
    for _ in range(3):
        with pytest.raises(UpstreamError):
            await connections.open(nobody, site)
    assert await fetch(await connections.open(origin.origin, site)) == b"ok"
    await connections.close()


async def test_an_idle_connection_is_closed_after_its_time(scripting: Scripting) -> None:
    closed: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        closed.put_nowait(await reader.read())

    origin = await scripting(serve)
    connections = upstream(origin_keep_alive=0.05)
    exchanges = [await connections.open(origin, passing_through(origin)) for _ in range(2)]
    for exchange in exchanges:
        await fetch(exchange)
    async with asyncio.timeout(PATIENCE):
        assert [await closed.get() for _ in range(2)] == [b"", b""]
    assert not (await connections.open(origin, passing_through(origin))).reused
    await connections.close()


async def test_an_exchange_that_is_closed_twice_does_not_touch_the_next_one(originating: Originating) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream()
    first = await connections.open(origin.origin, site)
    await fetch(first)
    second = await connections.open(origin.origin, site)
    first.close(clean=False)
    assert await fetch(second) == b"ok"
    assert origin.connections == 1
    await connections.close()


async def test_sites_that_trust_others_share_no_connection() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("legacy.internal").configure_cert(context)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as listening:
        origin = Origin("https", *listening.sockets[0].getsockname())
        trusting = passing_through(origin, origin_tls=OriginTls(verify=False))
        careful = passing_through(origin, origin_tls=OriginTls("legacy.internal", authority.cert_pem.bytes().decode()))
        connections = upstream()
        assert await fetch(await connections.open(origin, trusting)) == b"ok"
        exchange = await connections.open(origin, careful)
        assert not exchange.reused
        assert await fetch(exchange) == b"ok"
        assert (await connections.open(origin, careful)).reused
        await connections.close()


@pytest.mark.parametrize("clean", [True, False], ids=["a connection", "a place"])
async def test_what_is_given_to_somebody_who_has_just_left_goes_to_the_next(
    originating: Originating, *, clean: bool
) -> None:
    origin = await originating()
    site = passing_through(origin.origin)
    connections = upstream(most=1)
    exchange = await connections.open(origin.origin, site)
    if clean:
        exchange.send_head(GET, b"GET")
        await exchange.answer(lambda _: None)
        while await exchange.read():
            pass
    async with asyncio.TaskGroup() as tasks:
        leaving, next_one = [tasks.create_task(connections.open(origin.origin, site)) for _ in range(2)]
        await asyncio.sleep(0)
        exchange.close(clean=clean)
        if not clean:
            await asyncio.sleep(0)  # a place is free once the loop has closed the socket
        leaving.cancel()
    assert leaving.cancelled()
    assert next_one.result().reused is clean
    assert await fetch(next_one.result()) == b"ok"
    await connections.close()
