"""The demo itself: the old shop on a port of its own, Sunset in front of it, both on one event loop.

Only loopback is touched, and nothing of the machine is needed: no root, no DNS, no other service. Where a port that was
asked for is taken, any free one does: the stage says which.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.core.model import Origin
from proxy.demo.origin import old_shop
from proxy.edge.configuration.settings import Endpoint, SettingsError
from proxy.edge.server import serve
from proxy.edge.sockets import bind

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.core.rulebook import Rulebook
    from proxy.demo.shop import Shop
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.server import Server

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 1


def perform(rulebook: Rulebook, shop: Shop, settings: Settings, started: Callable[[Server], None]) -> None:
    """Runs until SIGTERM or SIGINT. `started` is called once addresses answer. Raises `SettingsError`."""
    asyncio.run(_perform(rulebook, shop, settings, started))


def free(endpoint: Endpoint) -> Endpoint:
    """The endpoint if it can be had, else the same host with a port that can. Raises `SettingsError`."""
    try:
        return _tried(endpoint)
    except SettingsError:
        return _tried(Endpoint(endpoint.host, 0))


async def _perform(rulebook: Rulebook, shop: Shop, settings: Settings, started: Callable[[Server], None]) -> None:
    behind = f"{settings.preview_suffix}:{settings.listen[0].port}"
    runner = web.AppRunner(old_shop(shop, behind), access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        origin = Origin("http", LOOPBACK, runner.addresses[0][1])
        await serve(rulebook.with_origin(origin), settings, started=started)
    finally:
        await runner.cleanup()


def _tried(endpoint: Endpoint) -> Endpoint:
    """The endpoint with the port that its listener would get."""
    with bind(endpoint, BACKLOG) as sock:
        return Endpoint(endpoint.host, sock.getsockname()[1])
