"""One request to an origin, and what is known of its answer when things go wrong on our own side."""

import asyncio
from typing import Any

import pytest

from proxy.core.model import Origin
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Limits, Settings, Timeouts
from proxy.edge.origins.exchange import Exchange
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.edge.origins.upstream import Upstream
from tests.edge.peers import OK, PATIENCE, Originating, Scripting
from tests.edge.sites import passing_through

REQUEST = b"GET / HTTP/1.1\r\nHost: po.co\r\n\r\n"
LARGE = bytes(2**22)


async def sent(origin: Origin, **timeouts: Any) -> tuple[Upstream, Exchange]:
    """An exchange whose request is with the origin."""
    connections = Upstream(Settings(limits=Limits(buffer=4096), timeouts=Timeouts(**timeouts)), Clock())
    exchange = await connections.open(origin, passing_through(origin))
    exchange.send_head(REQUEST, b"GET")
    return connections, exchange


async def head_of(exchange: Exchange) -> int:
    async with asyncio.timeout(PATIENCE):
        return (await exchange.answer(lambda _: None)).status


async def test_who_waits_for_an_exchange_that_is_closed_waits_no_longer(originating: Originating) -> None:
    origin = await originating(hold=True)
    connections, exchange = await sent(origin.origin)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(raised(exchange))
        await asyncio.sleep(0)
        exchange.close(clean=False)
    assert waiting.result() is Reason.DISCONNECTED
    assert await raised(exchange) is Reason.DISCONNECTED
    await connections.close()


async def raised(exchange: Exchange) -> Reason:
    with pytest.raises(UpstreamError) as caught:
        await head_of(exchange)
    return caught.value.reason


async def test_what_was_held_when_it_was_closed_is_there_and_then_no_more(scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(LARGE), LARGE))
        await reader.read()

    connections, exchange = await sent(await scripting(serve))
    assert await head_of(exchange) == 200
    while not exchange.has_arrived:  # noqa: ASYNC110 - to wait for it would be to take it
        await asyncio.sleep(0.01)
    exchange.close(clean=False)
    got = await exchange.read()
    assert 0 < len(got) < len(LARGE)
    with pytest.raises(UpstreamError):
        await exchange.read()
    await connections.close()


async def test_an_answer_may_take_its_time_while_the_request_is_sent(scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await complete.wait()
        writer.write(OK)
        await reader.read()

    complete = asyncio.Event()
    connections, exchange = await sent(await scripting(serve), answer=0.05)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(head_of(exchange))
        await asyncio.sleep(0.15)
        complete.set()
        exchange.await_answer()
    assert waiting.result() == 200
    exchange.close(clean=False)
    await connections.close()


async def test_an_answer_in_drops_is_too_late_all_the_same(scripting: Scripting) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not reader.at_eof():
            writer.write(b"X: a\r\n")
            await asyncio.sleep(0.01)

    connections, exchange = await sent(await scripting(serve), answer=0.1)
    exchange.await_answer()
    assert await raised(exchange) is Reason.ANSWER_TIMEOUT
    exchange.close(clean=False)
    await connections.close()
