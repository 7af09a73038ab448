"""What visitors get while no origin answers, and what comes before and within an answer."""

import asyncio
from typing import Any

import pytest

from proxy.core.model import Origin, OriginFailure
from proxy.edge.server import Server
from tests.edge.peers import Client, Originating, Scripting, Serving, ask, get
from tests.edge.sites import BEFORE, NOTICE, forwarding, notice, passing_through, rulebook, site

NOBODY = Origin("http", "127.0.0.1", 1)


async def failing(serving: Serving, at: Any = NOTICE, choice: OriginFailure = OriginFailure.REDIRECT) -> Server:
    return await serving(rulebook(site(origins=(NOBODY,), notice=notice(), when_origin_fails=choice)), at=at)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_a_visitor_is_sent_on_where_the_rule_file_says_so(serving: Serving, method: bytes) -> None:
    server = await failing(serving)
    answer = await ask(server, get(b"/a%2Fb?c=d", method=method), method)
    assert answer.status == 302
    assert answer.one(b"Location") == b"https://www.mi.com/uk/a%2Fb?c=d"
    assert answer.one(b"Cache-Control") == b"no-store"
    assert server.counts.upstream_errors == {("uk", "connect"): 1}


async def test_a_method_that_changes_something_is_not_sent_on(serving: Serving) -> None:
    assert (await ask(await failing(serving), get(b"/", method=b"POST"))).status == 502


async def test_nobody_is_sent_on_before_the_notice(serving: Serving) -> None:
    assert (await ask(await failing(serving, at=BEFORE), get(b"/"))).status == 502


async def test_an_error_says_where_the_site_moves(serving: Serving) -> None:
    answer = await ask(await failing(serving, choice=OriginFailure.ERROR), get(b"/"))
    assert answer.status == 502
    assert b'href="https://www.mi.com/uk"' in answer.body


HINTED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)


async def test_early_hints_go_on(serving: Serving, originating: Originating) -> None:
    origin = await originating(HINTED)
    async with await Client.to(await serving(rulebook(forwarding(origin.origin)), at=BEFORE)) as client:
        client.send(get(b"/"))
        hints = await client.answer()
        assert (hints.status, hints.reason) == (103, b"Early Hints")
        assert hints.headers == [(b"Link", b"</a.css>; rel=preload"), (b"Via", b"1.1 sunset")]
        assert (await client.answer()).body == b"ok"


async def test_a_client_of_http_1_0_gets_no_hints(serving: Serving, originating: Originating) -> None:
    origin = await originating(HINTED)
    async with await Client.to(await serving(rulebook(forwarding(origin.origin)), at=BEFORE)) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: po.co\r\n\r\n")
        assert (await client.rest()).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_an_origin_that_only_gives_hints_is_502(serving: Serving, originating: Originating) -> None:
    origin = await originating(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
    async with await Client.to(await serving(rulebook(forwarding(origin.origin)), at=BEFORE)) as client:
        client.send(get(b"/"))
        while (answer := await client.answer()).status == 103:
            pass
        assert answer.status == 502


async def test_an_event_arrives_before_the_next_is_sent(serving: Serving, scripting: Scripting) -> None:
    heard = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await heard.wait()
        writer.write(b"data: 2\n\n")

    server = await serving(rulebook(passing_through(await scripting(serve))))
    async with await Client.to(server) as client, asyncio.timeout(5):
        client.send(get(b"/"))
        await client.reader.readuntil(b"data: 1\n\n")
        heard.set()
        await client.reader.readuntil(b"data: 2\n\n")
