"""The server: starts, watches the clock, and stops when it is told to.

It is given its sockets, as a worker is, or binds them itself. All that can go wrong at a start (an address in use, a
port that needs root, an admin listener without a token) goes wrong before the first connection is accepted, and says
what to do. On SIGTERM it is first no longer ready, accepts no more, lets answers under way end, and exits with 0.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aiohttp import web

from proxy.edge.access_log import AccessLog
from proxy.edge.admin import Admin, demand_token
from proxy.edge.clients import Clients
from proxy.edge.clock import Clock
from proxy.edge.connection import Hall
from proxy.edge.counts import Counts
from proxy.edge.door import Front
from proxy.edge.handler import Handler
from proxy.edge.live import LiveTable
from proxy.edge.log import Sampled
from proxy.edge.metrics import Metrics
from proxy.edge.noticing import Noticing
from proxy.edge.origins.turns import Origins
from proxy.edge.origins.upstream import Upstream
from proxy.edge.relay import Relay
from proxy.edge.sockets import Sockets
from proxy.edge.status import Age, Stage, Status, WorkerStatus
from proxy.edge.tls.certificates import Certificates, demand_certificate
from proxy.edge.tls.handshake import hush_undecodable_names
from proxy.edge.tls.watch import CertificateWatch
from proxy.edge.verdict import Verdict
from proxy.edge.vestibule import Vestibule, demand_introducers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from proxy.core.rulebook import Rulebook
    from proxy.core.table import Table
    from proxy.edge.configuration.settings import Endpoint, Settings
    from proxy.edge.outline import Outline
    from proxy.edge.sockets import Listening
    from proxy.edge.visited import Visited

log = logging.getLogger("sunset")


class Server:
    """A running server, between `start` and `stop`: `async with Server(rulebook, settings) as server`."""

    def __init__(
        self,
        rulebook: Rulebook,
        settings: Settings,
        *,
        clock: Clock | None = None,
        sockets: Sockets | None = None,
        certificates: Certificates | None = None,
        tells: bool = True,
    ) -> None:
        self.settings = settings
        self.clock = Clock(settings.at) if clock is None else clock
        if certificates is None and settings.listen_tls:
            certificates = Certificates(settings.certs)
        self.certificates = certificates
        self.counts = Counts(rulebook)
        sampled = Sampled(self.clock.steady, settings.timeouts.log_line)
        self._upstream = Upstream(settings, self.clock)
        noticing = Noticing(rulebook, self.clock, settings.limits)
        origins = Origins(self._upstream, settings=settings, clock=self.clock, counts=self.counts, sampled=sampled)
        relay = Relay(origins, noticing, settings=settings, clock=self.clock, counts=self.counts)
        self._handler = Handler(
            relay,
            noticing,
            settings=settings,
            clock=self.clock,
            counts=self.counts,
            sampled=sampled,
            certificates=self.certificates,
        )
        self.clients = Clients(settings, self.clock, self.counts, sampled)
        self.live = LiveTable(rulebook, self.clock, preview_suffix=settings.preview_suffix, swapped=self._use)
        self.addresses: tuple[Endpoint, ...] = ()
        """Where it listens, or listened, with the ports that were taken for 0."""
        self.tls_addresses: tuple[Endpoint, ...] = ()
        """Where it does so with TLS."""
        self.admin_address: Endpoint | None = None
        """Where the admin listener does."""
        self._sampled = sampled
        self._sockets = sockets
        self._tells = tells
        """Whether what concerns all workers is logged by this one."""
        self._certificate_watch: CertificateWatch | None = None
        self._servers: list[asyncio.Server | Vestibule] = []
        self._fronts: list[Front] = []
        self._protocols: dict[bool, Callable[..., asyncio.Protocol]] = {}
        """What makes the protocol of a connection that was just accepted: with TLS, and without."""
        self._access_log: AccessLog | None = None
        self._stage = Stage.STARTING
        self._since = self.clock.now()
        self._admin_runner: web.AppRunner | None = None

    @property
    def status(self) -> Status:
        """How it stands: itself is its only worker."""
        rulebook, accepts = self.live.rulebook, self._stage is Stage.SERVING
        worker = WorkerStatus(os.getpid(), 0, rulebook.generation, Age.CURRENT, self._since, accepts, restarts=0)
        return Status(
            stage=self._stage,
            generation=rulebook.generation,
            since=self._since,
            loaded=self._since,
            rules=self.outline.rules,
            workers=(worker,),
            restarts={"worker": 0},
            reload=None,
        )

    @property
    def outline(self) -> Outline:
        """The rules in use."""
        return self.live.outline

    @property
    def visited(self) -> Visited:
        """The addresses that were asked for most."""
        return self.counts.visited

    @property
    def listeners(self) -> dict[str, tuple[Endpoint, ...]]:
        """Where it listens, by what is spoken there."""
        return {} if self._sockets is None else self._sockets.endpoints

    @property
    def connections(self) -> dict[int, int]:
        """How many clients are connected, by process."""
        return {os.getpid(): len(self.clients)}

    async def catch_up(self) -> None:
        """Its counts are always those of now."""

    async def reload(self, *, allow_shrink: bool) -> Verdict:  # noqa: ARG002 - it is never done
        """What a server that was handed its rules has to say to that."""
        message = "this server was not given a folder to load rules from"
        return Verdict(ok=False, generation=self.outline.generation, at=self.clock.now(), seconds=0.0, message=message)

    def move_to(self, instant: datetime) -> None:
        """Set the clock of a rehearsal."""
        self.clock.move_to(instant)
        self.clients.show_date()
        self.live.refresh()

    def _use(self, table: Table) -> None:
        """Answer by `table` from now on."""
        self._handler.use(table)
        for front in self._fronts:
            front.use(table)

    async def start(self) -> None:
        """Begin to answer, on sockets of its own where it was given none. Raises `SettingsError`."""
        settings = self.settings
        demand_introducers((*settings.listen, *settings.listen_tls), settings)
        demand_token(settings.admin, settings.admin_token)
        sockets = self._sockets = self._sockets or Sockets.bind(settings)
        try:
            listeners = sockets.endpoints
            self.addresses, self.tls_addresses = listeners["http"], listeners["https"]
            self.admin_address = next(iter(listeners["admin"]), None)
            self.live.start()
            self.clients.start()
            if settings.access_log:
                self._access_log = self._handler.access_log = AccessLog(settings, self.clock, self.counts)
                self._access_log.start()
            if self.certificates is not None:
                self._watch(self.certificates)
            self._protocols = {secure: self._protocols_for(secure=secure) for secure in (False, True)}
            await self.accept_from(sockets)
            if sockets.admin is not None:
                admin = Admin(Metrics(self.counts, self), self, settings.admin_token)
                self._admin_runner = web.AppRunner(admin.application(), access_log=None, handle_signals=False)
                await self._admin_runner.setup()
                await web.SockSite(self._admin_runner, sockets.admin).start()
            self._stage = Stage.SERVING
        except BaseException:
            await self.stop()
            raise

    async def accept_from(self, sockets: Sockets) -> list[asyncio.Server | Vestibule]:
        """Answer clients on these sockets, once it was started, until what this gives is closed."""
        settings = self.settings
        accepting = await self._accept_on(sockets.http, self._protocols[False])
        if self.certificates is not None and sockets.https:
            tls = {
                "ssl": self.certificates.listener,
                "ssl_handshake_timeout": settings.timeouts.handshake,
                "ssl_shutdown_timeout": settings.timeouts.farewell,
            }
            accepting += await self._accept_on(sockets.https, self._protocols[True], tls)
        self._servers += accepting
        return accepting

    async def _accept_on(
        self,
        listening: Sequence[Listening],
        protocols: Callable[..., asyncio.Protocol],
        tls: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[asyncio.Server | Vestibule]:
        """Accept connections there; `tls` is what the event loop wants to know to speak it."""
        settings = self.settings
        accepting: list[asyncio.Server | Vestibule] = []
        for each in listening:
            if each.introduced or tls:
                introduced = each.introduced
                vestibule = Vestibule(
                    each.sock, protocols, settings, self.clients, self._sampled, tls, introduced=introduced
                )
                vestibule.start()
                accepting.append(vestibule)
            else:
                loop, backlog = asyncio.get_running_loop(), settings.limits.backlog
                accepting.append(await loop.create_server(protocols, sock=each.sock, backlog=backlog))
        return accepting

    def _watch(self, certificates: Certificates) -> None:
        demand_certificate(certificates)
        hosts = [host for site in self.live.rulebook.sites for host in site.hosts]
        every = self.settings.timeouts.certificates
        self._certificate_watch = CertificateWatch(certificates, every=every, hosts=hosts, tells=self._tells)
        self._certificate_watch.start()

    def _protocols_for(self, *, secure: bool) -> Callable[..., asyncio.Protocol]:
        hall = Hall(
            self._handler,
            settings=self.settings,
            clock=self.clock,
            counts=self.counts,
            sampled=self._sampled,
            clients=self.clients,
        )
        if not self.settings.front_door:
            return hall
        certificates = self.certificates if secure else None
        front = Front(hall, self._handler.pages, self._access_log, certificates, secure=secure)
        other = front.other_scheme = Front(hall, self._handler.pages, self._access_log, None, secure=not secure)
        other.other_scheme = front
        for each in (front, other):
            each.use(self.live.table)
            self._fronts.append(each)
        return front

    def accept_no_more(self) -> None:
        """Leave new clients to others, or to nobody."""
        self._stage = Stage.STOPPING
        for server in self._servers:
            server.close()

    async def _let_in(self) -> None:
        """Wait for those who have come and are not introduced yet, so that they are among the clients."""
        for server in self._servers:
            if isinstance(server, Vestibule):
                await server.wait_closed()

    async def retire(self) -> None:
        """Accept no more, because others do now, and let clients finish what they are at, without any hurry."""
        self.accept_no_more()
        await self._let_in()
        timeouts = self.settings.timeouts
        await self.clients.retire(timeouts.last_request, timeouts.retire)

    async def stop(self) -> None:
        """Be no longer ready, accept no more, let answers under way end, close everything."""
        self.accept_no_more()
        seconds, began = self.settings.timeouts.stop, self.clock.steady()
        with suppress(TimeoutError):  # a handshake may take longer than there is time for all else
            async with asyncio.timeout(seconds / 2):
                await self._let_in()
        self._servers.clear()
        await self.clients.drain(max(0.0, seconds - (self.clock.steady() - began)))
        self.clients.stop()
        self.live.stop()
        if self._certificate_watch is not None:
            self._certificate_watch.stop()
        await self._upstream.close()
        if self._access_log is not None:
            self._access_log.close()
            self._access_log = None
        if self._admin_runner is not None:
            await self._admin_runner.cleanup()
        if self._sockets is not None:
            self._sockets.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()


async def serve(
    rulebook: Rulebook,
    settings: Settings,
    *,
    clock: Clock | None = None,
    started: Callable[[Server], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `started` is called once connections are accepted. Raises `SettingsError`."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    async with Server(rulebook, settings, clock=clock) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
        try:
            for address in server.addresses:
                log.info("listening on http://%s", address)
            for address in server.tls_addresses:
                log.info("listening on https://%s", address)
            if server.admin_address is not None:
                log.info("metrics on http://%s/metrics", server.admin_address)
            if server.clock.is_rehearsal:
                log.info("rehearsing: the clock shows %s", server.clock.now().isoformat(timespec="seconds"))
            if started is not None:
                started(server)
            await told.wait()
            log.info("stopping: answers under way have %g s", settings.timeouts.stop)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
    log.info("stopped")


def run(
    rulebook: Rulebook,
    settings: Settings,
    *,
    clock: Clock | None = None,
    started: Callable[[Server], None] | None = None,
) -> None:
    """`serve` on an event loop of its own: uvloop's where there is one."""
    hush_undecodable_names()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(rulebook, settings, clock=clock, started=started))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the event loops that servers run on."""
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415 - there is none for Windows

    return uvloop.new_event_loop
