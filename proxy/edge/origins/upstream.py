"""Connections to origins: a pool for each origin and way to connect, and an exchange for each request.

What one site may reach or trust another may not, so two sites share connections only where their networks and their TLS
are the same. A request for which a connection waits takes it at once; only who has to connect, or to wait in line, does
so within `Timeouts.connect`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from proxy.edge.origins.dialling import Dialler
from proxy.edge.origins.exchange import Exchange
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.edge.origins.pool import Pool
from proxy.wire.fields import FieldLimits

if TYPE_CHECKING:
    from proxy.core.model import Origin, OriginTls, Site
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.origins.resolver import Networks


class Upstream:
    """The connections to all origins. Close it when it is no longer needed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        limits = settings.limits
        self._limits = FieldLimits(line=limits.origin_field, lines=limits.origin_fields, section=limits.origin_head)
        self._diallers: dict[tuple[Networks, OriginTls], Dialler] = {}
        self._pools: dict[tuple[Origin, Networks, OriginTls], Pool] = {}

    async def open(self, origin: Origin, site: Site, *, fresh: bool = False) -> Exchange:
        """A connection to `origin`, as the site allows and asks; a `fresh` one has no request before it.

        Raises `UpstreamError`.
        """
        pool = self._pools.get((origin, site.origin_networks, site.origin_tls)) or self._pool(origin, site)
        connection = None if fresh else pool.take()
        if connection is None:
            try:
                async with asyncio.timeout(self._settings.timeouts.connect):
                    connection = await (pool.fresh() if fresh else pool.wait())
            except TimeoutError as error:
                raise UpstreamError(Reason.CONNECT_TIMEOUT, str(origin)) from error
        return Exchange(connection, origin, self._settings, self._limits, pool.give_back)

    async def close(self) -> None:
        """Close every connection."""
        for dialler in self._diallers.values():
            dialler.close()
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        await asyncio.sleep(0)  # the loop closes their sockets

    def _pool(self, origin: Origin, site: Site) -> Pool:
        way = (site.origin_networks, site.origin_tls)
        if (dialler := self._diallers.get(way)) is None:
            dialler = self._diallers[way] = Dialler(*way, self._settings.timeouts, steady=self._clock.steady)
        pool = self._pools[origin, *way] = Pool(
            partial(dialler.dial, origin),
            most=self._settings.limits.origin_connections,
            keep_alive=self._settings.timeouts.origin_keep_alive,
        )
        return pool
