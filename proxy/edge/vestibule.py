"""The vestibule: where connections wait until they are let in, and are counted while they do.

They wait for TLS to be agreed, and those of a balancer to be introduced (PROXY protocol). Left to the event loop, a
connection would be seen by nobody until its handshake is over, and there could be any number of them.

A header that introduces comes before all else, before TLS as well. It is peeked at and taken from the socket to the
byte, so that whatever is behind it is still there when the connection becomes one of the event loop's. Only neighbours
that are trusted, and those on this machine, may introduce anybody: to everyone else such a listener would be a way to
be whoever they want. A connection that is not introduced in time, or not properly, is closed without a word.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from proxy.edge.configuration.settings import SettingsError
from proxy.edge.trust import Trust
from proxy.wire.forwarded import plain_address
from proxy.wire.proxy_protocol import ProxyProtocolError, read_introduction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from proxy.edge.clients import Clients
    from proxy.edge.configuration.settings import Endpoint, Settings
    from proxy.edge.log import Sampled
    from proxy.wire.proxy_protocol import Introduction

_AT_ONCE = 16
"""Connections that are accepted before those that are there get their turn."""
_PAUSE = 0.1
"""Seconds until it is tried again to accept, where the machine has no room for one more."""


class Vestibule:
    """Accepts the connections of one listening socket. `tls` is what the event loop wants to know to speak TLS.

    `clients` counts who waits here; `introduced` says whether a balancer has to introduce them.
    """

    def __init__(
        self,
        sock: socket.socket,
        let_in: Callable[[Introduction | None], asyncio.Protocol],
        settings: Settings,
        clients: Clients,
        sampled: Sampled,
        tls: Mapping[str, Any] = MappingProxyType({}),
        *,
        introduced: bool = True,
    ) -> None:
        self._socket = sock
        self._let_in = let_in
        self._trust = Trust(settings)
        self._limits = settings.limits
        self._timeouts = settings.timeouts
        self._clients = clients
        self._sampled = sampled
        self._tls = tls
        self._introduced = introduced
        self._closed = asyncio.Event()
        self._introductions: asyncio.TaskGroup
        self._entering: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to accept."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Accept no more; who has come is still let in."""
        self._closed.set()

    async def wait_closed(self) -> None:
        """Until everybody who has come is in, or sent away."""
        if self._task is not None:
            await asyncio.shield(self._task)  # whoever waits may be cancelled, and another wait after that

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as self._introductions:
            self._resume()
            await self._closed.wait()
            asyncio.get_running_loop().remove_reader(self._socket)
        if self._entering:
            await asyncio.wait(self._entering)

    def _resume(self) -> None:
        if not self._closed.is_set():
            asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._sampled.warning("cannot accept a connection:", error.strerror or "")
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._socket)
                loop.call_later(_PAUSE, self._resume)
                return
            self._receive(sock, plain_address(address[0]))

    def _receive(self, sock: socket.socket, peer: str) -> None:
        if self._introduced and not self._may_introduce(peer):
            self._refuse(sock, "untrusted", peer)
        elif not self._clients.arrive(peer):
            sock.close()
        else:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._introduced:
                self._introductions.create_task(self._hear(sock, peer))
            else:
                self._enter(sock, peer, None)

    def _may_introduce(self, peer: str) -> bool:
        return self._trust.covers(peer) or ip_address(peer.partition("%")[0]).is_loopback

    async def _hear(self, sock: socket.socket, peer: str) -> None:
        try:
            async with asyncio.timeout(self._timeouts.introduction):
                introduction = await self._introduction(sock)
        except (ProxyProtocolError, OSError) as error:  # a timeout is an OSError
            self._clients.arrived(peer)
            self._refuse(sock, "not-introduced", f"{peer}: {_reason(error)}")
        else:
            self._enter(sock, peer, introduction)

    def _enter(self, sock: socket.socket, peer: str, introduction: Introduction | None) -> None:
        """From here on the socket is the transport's, and that closes it."""
        loop = asyncio.get_running_loop()
        entering = loop.create_task(
            loop.connect_accepted_socket(partial(self._let_in, introduction), sock, **self._tls)
        )
        self._entering.add(entering)
        entering.add_done_callback(partial(self._entered, peer))

    def _entered(self, peer: str, entering: asyncio.Task[Any]) -> None:
        self._entering.discard(entering)
        self._clients.arrived(peer)
        if entering.cancelled():
            return
        error = entering.exception()
        if error is not None and not isinstance(error, OSError):  # which says that the client is gone, or speaks no TLS
            self._sampled.warning("internal error:", error=error)

    async def _introduction(self, sock: socket.socket) -> Introduction:
        """The header, of which not a byte is left in the socket, and behind which none is taken."""
        longest = self._limits.introduction
        taken = b""
        while True:
            try:
                seen = sock.recv(longest, socket.MSG_PEEK)
            except BlockingIOError:
                await _readable(sock)
                continue
            if not seen:
                raise ProxyProtocolError("cut off")
            introduction = read_introduction(taken + seen, longest)
            if introduction is not None:
                sock.recv(introduction.length - len(taken))
                return introduction
            taken += sock.recv(len(seen))

    def _refuse(self, sock: socket.socket, reason: str, detail: str) -> None:
        sock.close()
        self._clients.turn_away(reason, f"{reason}, {detail}")


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sock)


def _reason(error: Exception) -> str:
    return "too late" if isinstance(error, TimeoutError) else str(error)


def demand_introducers(endpoints: Iterable[Endpoint], settings: Settings) -> None:
    """Raises `SettingsError` where a listener is reached by others, and would let in what comes from nobody of them."""
    for endpoint in endpoints:
        if endpoint.introduced and not endpoint.is_loopback and not settings.trusted_proxies:
            raise SettingsError(
                f"the listener on {endpoint} takes the PROXY protocol from trusted proxies alone, and none is named: "
                "set trusted_proxies to the networks of the balancers"
            )
