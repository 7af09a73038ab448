"""How a connection to an origin comes about: addresses, TCP, TLS.

Of several addresses the first that answers is taken, IPv6 and IPv4 in turn, without waiting long for one that is dead
(RFC 8305). What goes wrong is translated here: the guilty side is the origin, and the reason one of a few.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohappyeyeballs import start_connection

from proxy.edge.origins.addresses import Addresses
from proxy.edge.origins.connection import OriginConnection
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.edge.origins.resolver import AddressRefusedError, OriginResolver, look_up

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from proxy.core.model import Origin, OriginTls
    from proxy.edge.configuration.settings import Timeouts
    from proxy.edge.origins.resolver import Lookup, Networks

_NEXT_ADDRESS = 0.25
"""Seconds after which another address is tried beside one that does not answer, as RFC 8305 section 5 has it."""


class Dialler:
    """Connects as one kind of site asks: into `networks` beside the public internet, and trusting as `tls` says."""

    def __init__(
        self,
        networks: Networks,
        tls: OriginTls,
        timeouts: Timeouts,
        *,
        steady: Callable[[], float],
        lookup: Lookup = look_up,
    ) -> None:
        resolver = OriginResolver(networks, timeouts, steady=steady, lookup=lookup)
        self._addresses = Addresses(resolver, timeouts.dns, steady=steady)
        self._tls = tls
        self._trust: ssl.SSLContext | None = None

    async def dial(self, origin: Origin, lost: Callable[[OriginConnection], None]) -> OriginConnection:
        """A connection of its own; `lost` is told when it is gone. Raises `UpstreamError`."""
        try:
            addresses = await self._addresses.of(origin)
        except AddressRefusedError as error:
            raise UpstreamError(Reason.ADDRESS_REFUSED, str(origin)) from error
        except OSError as error:
            raise UpstreamError(Reason.DNS, str(origin)) from error
        try:
            sock = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1)
            return await self._speak(origin, sock, lost)
        except ssl.SSLError as error:
            raise UpstreamError(Reason.TLS, str(origin)) from error
        except OSError as error:
            raise UpstreamError(Reason.CONNECT, str(origin)) from error

    def close(self) -> None:
        """Nobody waits for a connection any more."""
        self._addresses.close()

    async def _speak(
        self, origin: Origin, sock: socket.socket, lost: Callable[[OriginConnection], None]
    ) -> OriginConnection:
        """The connection on a connected socket, TLS on it where the origin has that."""
        security: dict[str, Any] = {}
        if origin.scheme == "https":
            if self._trust is None:
                self._trust = trust(self._tls)
            security = {"ssl": self._trust, "server_hostname": self._tls.name or origin.host.rstrip(".")}
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: OriginConnection(lost), sock=sock, **security)
        except BaseException:
            with suppress(OSError):
                sock.close()
            raise
        return connection


def trust(tls: OriginTls) -> ssl.SSLContext:
    """How an origin's certificate is looked at: by the machine's authorities, by those that are named, or not at all.

    Authorities that a site names are trusted alone.
    """
    context = ssl.create_default_context(cadata=tls.ca or None)
    context.set_alpn_protocols(["http/1.1"])
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
