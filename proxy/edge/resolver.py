"""Which addresses an origin's name may lead to.

A rule file names an origin; whoever answers for that name in DNS must not be able to turn Sunset on the network that it
stands in. So addresses that are not of the public internet are left out unless the site's `origin_networks` list them.
The connection is made to the very addresses that were looked at: there is no second lookup that could answer otherwise.
An origin written as an IP address never comes here.

The connector keeps an answer for `Timeouts.dns`, and asks once for all who wait. DNS that fails, or does not answer, is
no reason to lose an origin which is well: its last known addresses go on for `Timeouts.dns_last_known`. An answer that
leads to no allowed address is no failure, and ends them.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.abc import ResolveResult

    from proxy.edge.settings import Timeouts

Networks = tuple[IPv4Network | IPv6Network, ...]


class AddressRefusedError(OSError):
    """A name leads only to addresses that an origin must not have."""


class OriginResolver(AbstractResolver):
    """Looks names up, and leaves out addresses that are neither public nor in `networks`.

    `steady` gives seconds that only ever go on; `lookup` is the machine's own where none is given.
    """

    def __init__(
        self,
        networks: Networks,
        timeouts: Timeouts,
        *,
        steady: Callable[[], float],
        lookup: AbstractResolver | None = None,
    ) -> None:
        self._networks = networks
        self._timeouts = timeouts
        self._lookup = lookup if lookup is not None else ThreadedResolver()
        self._steady = steady
        self._known: dict[tuple[str, int], tuple[float, list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses. Raises `AddressRefusedError`, or `OSError` where there is no answer."""
        try:
            async with asyncio.timeout(self._timeouts.dns_answer):
                found = await self._lookup.resolve(host, port, family)
        except OSError:  # TimeoutError is one
            since, known = self._known.get((host, port), (0.0, []))
            if not known or self._steady() - since > self._timeouts.dns_last_known:
                raise
            return known
        allowed = [result for result in found if is_allowed(result["host"], self._networks)]
        if not allowed:
            raise AddressRefusedError(f"{host} leads to no public address, and origin_networks lists none of its own")
        self._known[host, port] = (self._steady(), allowed)
        return allowed

    async def close(self) -> None:
        """Give the lookup's resources back."""
        await self._lookup.close()


def is_allowed(text: str, networks: Networks) -> bool:
    """Whether an origin may have this address: it is public, or one of `networks` contains it."""
    address = ip_address(text.partition("%")[0])
    address = _unwrapped(address)
    if any(address.version == network.version and address in network for network in networks):
        return True
    return address.is_global and not address.is_multicast


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for (RFC 4291 section 2.5.5.2, RFC 3056), else itself."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address
