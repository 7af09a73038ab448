"""Which addresses an origin's name may lead to.

A rule file names an origin; whoever answers for that name in DNS must not be able to turn Sunset on the network that it
stands in. So addresses that are not of the public internet are left out unless the site's `origin_networks` list them.
The connection is made to the very addresses that were looked at: there is no second lookup that could answer otherwise.
An origin written as an IP address is taken as it is. A hundred requests for one name are one lookup.

DNS that fails, or does not answer, is no reason to lose an origin which is well: its last known addresses go on for
`Timeouts.dns_last_known`. An answer that leads to no allowed address is no failure, and ends them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proxy.edge.configuration.settings import Timeouts

Networks = tuple[IPv4Network | IPv6Network, ...]
Address = tuple[int, int, int, str, Any]
"""What a socket can be connected to, as `getaddrinfo` gives it: family, kind, protocol, name, and address with port."""
Lookup = Callable[[str, int], Awaitable[list[Address]]]
"""Who is asked for the addresses of a name, with a port."""


class AddressRefusedError(OSError):
    """A name leads only to addresses that an origin must not have."""


async def look_up(host: str, port: int) -> list[Address]:
    """What the machine's resolver says, in the order that it prefers. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(found)


class OriginResolver:
    """Looks names up, and leaves out addresses that are neither public nor in `networks`.

    `steady` gives seconds that only ever go on.
    """

    def __init__(
        self,
        networks: Networks,
        timeouts: Timeouts,
        *,
        steady: Callable[[], float],
        lookup: Lookup = look_up,
    ) -> None:
        self._networks = networks
        self._timeouts = timeouts
        self._lookup = lookup
        self._steady = steady
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}
        """Lookups that are under way, also where nobody waits any more."""

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses, asked for anew. Raises `AddressRefusedError`, or `OSError` where there is no answer."""
        try:
            async with asyncio.timeout(self._timeouts.dns_answer):
                found = await asyncio.shield(self._ask(host, port))
        except OSError:  # TimeoutError is one
            since, known = self._known.get((host, port), (0.0, []))
            if not known or self._steady() - since > self._timeouts.dns_last_known:
                raise
            return known
        allowed = [address for address in found if is_allowed(address[4][0], self._networks)]
        if not allowed:
            raise AddressRefusedError(f"{host} leads to no public address, and origin_networks lists none of its own")
        self._known[host, port] = (self._steady(), allowed)
        return allowed

    def close(self) -> None:
        """Nobody waits any more."""
        for asking in tuple(self._asking.values()):
            asking.cancel()

    def _ask(self, host: str, port: int) -> asyncio.Future[list[Address]]:
        """The lookup of a name, one for all who come while it is under way.

        It goes on though whoever waits gives up: it holds one of a few threads, and another one would hold the next.
        """
        name = (host, port)
        if (asking := self._asking.get(name)) is None:
            asking = self._asking[name] = asyncio.ensure_future(self._lookup(host, port))  # noqa: TID251 - held here

            def answered(asked: asyncio.Future[list[Address]]) -> None:
                del self._asking[name]
                if not asked.cancelled():
                    asked.exception()  # somebody has seen it, or nobody waits any more

            asking.add_done_callback(answered)
        return asking


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
