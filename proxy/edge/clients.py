"""All clients that are connected: how many there may be, for how long they may keep quiet, and how they are let go.

Nothing here runs for a single request. Once a second a timer goes through the connections and asks each whether its
time is up, so a connection needs no timers of its own; what counts in seconds is exact to one. The same timer keeps the
Date that answers carry.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from proxy.edge.descriptors import allowed
from proxy.edge.trust import Trust
from proxy.wire.forwarded import plain_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.counts import Counts
    from proxy.edge.log import Sampled

_SITE_BITS = 64
"""Of an IPv6 address so many bits are a network that one client may have all to itself (RFC 6177)."""


class Client(Protocol):
    """A client's connection."""

    @property
    def peer(self) -> str:
        """The client's IP address; empty where there is none."""
        ...

    def look(self, tick: int) -> None:
        """Close where the time is up; `tick` counts seconds."""
        ...

    def conclude(self) -> None:
        """Let one more answer be the last: to what was asked, or else to what may be on its way."""
        ...

    def retire(self) -> None:
        """Close as soon as what was asked is answered."""
        ...

    def cut_off(self) -> asyncio.Task[None] | None:
        """Close now. Gives the task that ends with it, if there is one."""
        ...


class Clients:
    """The connections of one process."""

    def __init__(self, settings: Settings, clock: Clock, counts: Counts, sampled: Sampled) -> None:
        self._settings = settings
        self._clock = clock
        self._counts = counts
        self._sampled = sampled
        self._trust = Trust(settings)
        self._open: set[Client] = set()
        self._by_network: Counter[str] | None = None
        """Connections by client, counted once there are so many that one client could have too many."""
        self._timer: asyncio.TimerHandle | None = None
        self._gone: asyncio.Event | None = None
        self._concludes = False
        """Whether every connection ends with its next answer."""
        self._most = settings.limits.connections
        self._arriving: Counter[str] = Counter()
        """Connections that have come and are not in yet, by client."""
        self._arriving_in_all = 0
        self._looked = float("-inf")
        """What the clock showed when that was last done."""
        self.tick = 0
        """Seconds since the start."""
        self.date = clock.date()
        """The value of a Date header; one and the same object for a second."""

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._open))

    def start(self) -> None:
        """Begin to look after them. Needs a running loop."""
        limits = self._settings.limits
        self._most = max(1, min(limits.connections, allowed() - limits.descriptors_kept))
        self._look()

    def stop(self) -> None:
        """Look after them no more."""
        if self._timer is not None:
            self._timer.cancel()

    def show_date(self) -> None:
        """Look at the clock now: for whoever has just moved it."""
        self.date = self._clock.date()

    def admit(self, client: Client) -> bool:
        """Whether one more may come in. It is a member from then on, until `left`."""
        members = self._open
        if len(members) >= self._most:
            return self.turn_away("full", "too many connections")
        is_counted = self._by_network is not None or len(members) >= self._settings.limits.client_connections
        if is_counted and self._is_crowded(client):
            return self.turn_away("client", "too many connections of one client")
        members.add(client)
        if self._concludes:
            client.conclude()
        return True

    def arrive(self, peer: str) -> bool:
        """Whether one more may come that has to agree on TLS, or be introduced, before it is in: until `arrived`.

        It takes memory and a descriptor, and what it takes nobody has seen a byte of HTTP for.
        """
        limits, network = self._settings.limits, network_of(peer)
        if self._arriving_in_all >= min(limits.arriving, self._most - len(self._open)):
            return self.turn_away("full", "too many connections that are not in yet")
        if self._arriving[network] >= limits.client_arriving and not self._trust.covers(peer):
            return self.turn_away("client", "too many connections of one client that are not in yet")
        self._arriving[network] += 1
        self._arriving_in_all += 1
        return True

    def arrived(self, peer: str) -> None:
        """One of them is in, or was sent away."""
        self._arriving_in_all -= 1
        _take_one(self._arriving, network_of(peer))

    def exchange(self, client: Client, other: Client) -> None:
        """`other` goes on with the connection of `client`."""
        self._open.discard(client)
        self._open.add(other)

    def left(self, client: Client) -> None:
        """A connection has ended."""
        if client not in self._open:
            return
        self._open.discard(client)
        if self._by_network is not None:
            if len(self._open) < self._settings.limits.client_connections // 2:  # or it would be made again and again
                self._by_network = None
            else:
                _take_one(self._by_network, network_of(client.peer))
        if self._gone is not None and not self._open:
            self._gone.set()

    def conclude(self) -> None:
        """Let each connection end with its next answer, those too that are still to come in."""
        self._concludes = True
        for client in tuple(self._open):
            client.conclude()

    async def retire(self, moment: float, seconds: float) -> None:
        """Let each connection end with its next answer; after a `moment` without a request, end it too.

        Closing it in the face of a request that is on its way would lose that. What is not over after `seconds` is left
        as it is.
        """
        self.conclude()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(moment)  # also where nobody is connected: somebody may be amid a TLS handshake
                await asyncio.sleep(0)  # a process that was kept waiting reads first what has come meanwhile
                self._gone = asyncio.Event()
                for client in tuple(self._open):
                    client.retire()
                if self._open:
                    await self._gone.wait()

    async def drain(self, seconds: float) -> None:
        """Close idle connections, let answers that are under way end within `seconds`, then cut the rest off."""
        self._gone = asyncio.Event()
        for client in tuple(self._open):
            client.retire()
        if not self._open:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            self._sampled.warning("stopping with answers under way:", f"{len(self._open)} connections cut off")
            tasks = [task for client in tuple(self._open) if (task := client.cut_off()) is not None]
            if tasks:
                await asyncio.wait(tasks, timeout=1.0)

    def _is_crowded(self, client: Client) -> bool:
        """Whether the client has as many connections as it may. Counts it in where it has not."""
        if self._by_network is None:
            self._by_network = Counter(network_of(member.peer) for member in self._open)
        network = network_of(client.peer)
        most = self._settings.limits.client_connections
        if network and self._by_network[network] >= most and not self._trust.covers(client.peer):
            return True  # a trusted proxy has the connections of many
        self._by_network[network] += 1
        return False

    def turn_away(self, reason: str, said: str) -> bool:
        """Count one that was not let in. Gives False."""
        self._counts.refuse(reason)
        self._sampled.warning("connection refused:", said)
        return False

    def _look(self) -> None:
        now = self._clock.timestamp()
        # One that was set back stands still until it has caught up: a second is a second all the same.
        pause = 1.0 - now % 1.0 + 0.0005 if now > self._looked else 1.0
        self._looked = now
        self._timer = asyncio.get_running_loop().call_later(pause, self._look)
        self.tick += 1
        self.date = self._clock.date()
        for client in tuple(self._open):
            client.look(self.tick)


def _take_one(connections: Counter[str], network: str) -> None:
    """Count one less; nobody is kept who has none left."""
    if connections[network] > 1:
        connections[network] -= 1
    else:
        del connections[network]


def network_of(peer: str) -> str:
    """What counts as one client: an IPv4 address, or the network that an IPv6 address is in."""
    if ":" not in peer:
        return peer
    return format(int(ip_address(peer.partition("%")[0])) >> (128 - _SITE_BITS), "x")


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The IP address of whoever is connected; empty where there is none."""
    peer = transport.get_extra_info("peername")
    return plain_address(peer[0]) if isinstance(peer, tuple) else ""
