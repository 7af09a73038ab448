"""The vestibule: where connections of a balancer are introduced (PROXY protocol) before they are let in.

The header comes before all else, before TLS as well. It is peeked at and taken from the socket to the byte, so that
whatever is behind it is still there when the connection becomes one of the event loop's. Only neighbours that are
trusted, and those on this machine, may introduce anybody: to everyone else such a listener would be a way to be whoever
they want. A connection that is not introduced in time, or not properly, is closed without a word.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from proxy.edge.settings import SettingsError
from proxy.edge.trust import Trust
from proxy.wire.forwarded import plain_address
from proxy.wire.proxy_protocol import ProxyProtocolError, read_introduction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from proxy.edge.counts import Counts
    from proxy.edge.log import Sampled
    from proxy.edge.settings import Endpoint, Settings
    from proxy.wire.proxy_protocol import Introduction

_PAUSE = 0.1
"""Seconds until it is tried again to accept, where the machine has no room for one more."""


class Vestibule:
    """Accepts the connections of one listening socket. `tls` is what the event loop wants to know to speak TLS."""

    def __init__(
        self,
        sock: socket.socket,
        let_in: Callable[[Introduction], asyncio.Protocol],
        settings: Settings,
        counts: Counts,
        sampled: Sampled,
        tls: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._socket = sock
        self._let_in = let_in
        self._trust = Trust(settings)
        self._limits = settings.limits
        self._timeouts = settings.timeouts
        self._counts = counts
        self._sampled = sampled
        self._tls = tls
        self._closed = asyncio.Event()
        self._introductions: asyncio.TaskGroup
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
            await self._task

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as self._introductions:
            self._resume()
            await self._closed.wait()
            asyncio.get_running_loop().remove_reader(self._socket)

    def _resume(self) -> None:
        if not self._closed.is_set():
            asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            sock, address = self._socket.accept()
        except BlockingIOError:
            return
        except OSError as error:
            self._sampled.warning("cannot accept a connection:", error.strerror or "")
            loop.remove_reader(self._socket)
            loop.call_later(_PAUSE, self._resume)
            return
        peer = plain_address(address[0])
        if self._may_introduce(peer):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._introductions.create_task(self._receive(sock, peer))
        else:
            self._refuse(sock, "untrusted", peer)

    def _may_introduce(self, peer: str) -> bool:
        return self._trust.covers(peer) or ip_address(peer.partition("%")[0]).is_loopback

    async def _receive(self, sock: socket.socket, peer: str) -> None:
        try:
            async with asyncio.timeout(self._timeouts.introduction):
                introduction = await self._introduction(sock)
        except (ProxyProtocolError, OSError) as error:  # a timeout is an OSError
            self._refuse(sock, "not-introduced", f"{peer}: {_reason(error)}")
            return
        try:  # from here on the socket is the transport's, and that closes it
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._let_in(introduction), sock, **self._tls
            )
        except OSError:
            pass  # the client is gone, or speaks no TLS
        except Exception as error:  # noqa: BLE001 - a fault of our own; others are let in all the same
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
        self._counts.refuse(reason)
        self._sampled.warning("connection refused:", f"{reason}, {detail}")


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
