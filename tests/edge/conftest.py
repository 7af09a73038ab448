"""The edge is tested on the event loop that it runs on, over real sockets, with rulebooks made by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
import uvloop

from proxy.core.model import Origin
from proxy.core.rulebook import Rulebook
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Endpoint, Settings
from proxy.edge.server import Server
from tests.edge.peers import Originating, RawOrigin, Scripting, Serving

ANY_PORT = Endpoint("127.0.0.1", 0)


def pytest_asyncio_loop_factories(
    config: pytest.Config,  # noqa: ARG001 - the hook's own names
    item: pytest.Item,  # noqa: ARG001
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    """Starts servers on free ports; they stop with the test."""
    async with AsyncExitStack() as running:

        async def start(rulebook: Rulebook, *, clock: Clock | None = None, **settings: Any) -> Server:
            chosen: dict[str, Any] = {"listen": (ANY_PORT,), "admin": None} | settings
            return await running.enter_async_context(Server(rulebook, Settings(**chosen), clock=clock))

        yield start


@pytest.fixture
async def originating() -> AsyncIterator[Originating]:
    """Starts origins on free ports; they stop with the test."""
    async with AsyncExitStack() as running:

        async def start(*answers: bytes, **how: bool) -> RawOrigin:
            return await running.enter_async_context(RawOrigin(*answers, **how))

        yield start


@pytest.fixture
async def scripting() -> AsyncIterator[Scripting]:
    """Starts origins that do what a coroutine says; they stop with the test."""
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Origin:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await serve(reader, writer)
            writer.close()

        servers.append(await asyncio.start_server(accept, "127.0.0.1", 0))
        return Origin("http", *servers[-1].sockets[0].getsockname())

    yield start
    for server in servers:
        server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)
