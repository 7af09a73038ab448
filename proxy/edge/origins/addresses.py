"""Where an origin is: its addresses, looked up once for all who want to connect.

What the resolver says holds for `Timeouts.dns`. An origin written as an IP address is there, and nobody is asked.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.core.model import Origin
    from proxy.edge.origins.resolver import Address, OriginResolver


class Addresses:
    """Keeps what `resolver` says for `seconds`; `steady` gives seconds that only ever go on."""

    def __init__(self, resolver: OriginResolver, seconds: float, *, steady: Callable[[], float]) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._steady = steady
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}

    async def of(self, origin: Origin) -> list[Address]:
        """The addresses of an origin, the best to try first. Raises `AddressRefusedError` and `OSError`."""
        if is_address(origin.host):
            return _read(origin)
        name = (origin.host, origin.port)
        if name in self._known:
            until, known = self._known[name]
            if self._steady() < until:
                return known
        found = await self._resolver.resolve(*name)
        self._known[name] = (self._steady() + self._seconds, found)
        return found

    def close(self) -> None:
        """Nobody waits any more."""
        self._resolver.close()


def is_address(host: str) -> bool:
    """Whether a host is written as an IP address, and not as a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _read(origin: Origin) -> list[Address]:
    """An address as a socket wants it; the zone of a link-local one becomes a number. Raises `OSError`.

    Nobody is asked, so it takes no thread, all of which may be waiting for names.
    """
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return list(socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM, flags=flags))
