"""The server: binds, starts, watches the clock, and stops when it is told to.

All that can go wrong at a start (an address in use, a port that needs root, an admin listener without a token) goes
wrong before the first connection is accepted, and says what to do. On SIGTERM it is first no longer ready, accepts no
more, lets answers under way end, and exits with 0.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aiohttp import web

from proxy.edge.access_log import AccessLog
from proxy.edge.admin import Admin
from proxy.edge.certificate_watch import CertificateWatch
from proxy.edge.certificates import Certificates
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
from proxy.edge.origins import Origins
from proxy.edge.relay import Relay
from proxy.edge.settings import Endpoint, SettingsError
from proxy.edge.tls import hush_undecodable_names
from proxy.edge.upstream import Upstream
from proxy.edge.vestibule import Vestibule, demand_introducers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from proxy.core.rulebook import Rulebook
    from proxy.core.table import Table
    from proxy.edge.settings import Settings

log = logging.getLogger("sunset")


class Server:
    """A running server, between `start` and `stop`: `async with Server(rulebook, settings) as server`."""

    def __init__(
        self,
        rulebook: Rulebook,
        settings: Settings,
        *,
        clock: Clock | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self.settings = settings
        self.clock = Clock(settings.at) if clock is None else clock
        self.certificates = certificates
        if certificates is None and settings.listen_tls:
            self.certificates = Certificates(settings.certs)
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
        self._sockets: list[socket.socket] = []
        self._tls_sockets: list[socket.socket] = []
        self._certificate_watch: CertificateWatch | None = None
        self._servers: list[asyncio.Server | Vestibule] = []
        self._fronts: list[Front] = []
        self._access_log: AccessLog | None = None
        self._admin: Admin | None = None
        self._admin_runner: web.AppRunner | None = None
        self._admin_socket: socket.socket | None = None

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
        """Bind and begin to answer. Raises `SettingsError`."""
        settings = self.settings
        demand_introducers(settings)
        try:
            if settings.admin is not None:
                self._admin = Admin(
                    Metrics(self.counts, self.live, self.certificates), settings.admin, settings.admin_token
                )
                self._admin_socket = bind(settings.admin, settings.limits.backlog)
                self.admin_address = _endpoint_of(self._admin_socket)
            for endpoint in settings.listen:
                self._sockets.append(bind(endpoint, settings.limits.backlog))
            for endpoint in settings.listen_tls:
                self._tls_sockets.append(bind(endpoint, settings.limits.backlog))
            self.addresses = tuple(map(_endpoint_of, self._sockets))
            self.tls_addresses = tuple(map(_endpoint_of, self._tls_sockets))
            self.live.start()
            self.clients.start()
            if settings.access_log:
                self._access_log = self._handler.access_log = AccessLog(settings, self.clock)
                self._access_log.start()
            await self._accept_on(settings.listen, self._sockets, self._protocols(secure=False))
            if self.certificates is not None:
                await self._accept_tls(self.certificates)
            if self._admin is not None and self._admin_socket is not None:
                self._admin_runner = web.AppRunner(self._admin.application(), access_log=None, handle_signals=False)
                await self._admin_runner.setup()
                await web.SockSite(self._admin_runner, self._admin_socket).start()
                self._admin.ready = True
        except BaseException:
            await self.stop()
            raise

    async def _accept_on(
        self,
        endpoints: Sequence[Endpoint],
        sockets: Sequence[socket.socket],
        protocols: Callable[..., asyncio.Protocol],
        tls: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Accept connections there; `tls` is what the event loop wants to know to speak it."""
        settings = self.settings
        for endpoint, sock in zip(endpoints, sockets, strict=True):
            server: asyncio.Server | Vestibule
            if endpoint.introduced:
                server = Vestibule(sock, protocols, settings, self.counts, self._sampled, tls)
                server.start()
            else:
                backlog = settings.limits.backlog
                server = await asyncio.get_running_loop().create_server(protocols, sock=sock, backlog=backlog, **tls)
            self._servers.append(server)

    async def _accept_tls(self, certificates: Certificates) -> None:
        certificates.refresh()
        if not certificates.all:
            raise SettingsError(_no_certificate(certificates))
        settings = self.settings
        tls = {
            "ssl": certificates.listener,
            "ssl_handshake_timeout": settings.timeouts.handshake,
            "ssl_shutdown_timeout": settings.timeouts.farewell,
        }
        await self._accept_on(settings.listen_tls, self._tls_sockets, self._protocols(secure=True), tls)
        hosts = [host for site in self.live.rulebook.sites for host in site.hosts]
        self._certificate_watch = CertificateWatch(certificates, every=settings.timeouts.certificates, hosts=hosts)
        self._certificate_watch.start()

    def _protocols(self, *, secure: bool) -> Callable[[], asyncio.Protocol]:
        """What makes the protocol of a connection that was just accepted."""
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

    async def stop(self) -> None:
        """Be no longer ready, accept no more, let answers under way end, close everything."""
        if self._admin is not None:
            self._admin.ready = False
        for server in self._servers:
            server.close()
        for server in self._servers:
            if isinstance(server, Vestibule):
                await server.wait_closed()
        self._servers.clear()
        await self.clients.drain(self.settings.timeouts.stop)
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
        if self._admin_socket is not None:
            self._admin_socket.close()
        for sock in (*self._sockets, *self._tls_sockets):
            sock.close()

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
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(rulebook, settings, clock=clock, started=started))


def bind(endpoint: Endpoint, backlog: int) -> socket.socket:
    """A listening socket. Raises `SettingsError` with what to do about it."""
    host = endpoint.host or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")  # noqa: S104 - that is what was asked
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"cannot listen on {endpoint}: {host} is no address of this machine") from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if not endpoint.host else 1)
        sock.bind(address)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise SettingsError(f"cannot listen on {endpoint}: {_advice(error, endpoint)}") from error
    return sock


def _advice(error: OSError, endpoint: Endpoint) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the address is in use; another server has it, perhaps another Sunset"
        case errno.EACCES:
            return f"port {endpoint.port} needs root or CAP_NET_BIND_SERVICE; ports from 1024 on do not"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _:
            return str(error.strerror or error)


def _no_certificate(certificates: Certificates) -> str:
    """Why TLS cannot be spoken, and what to do about it."""
    faults = "".join(f"\n  {fault}" for fault in certificates.faults)
    found = f" can be used:{faults}\n" if faults else " is there; "
    return (
        f"--listen-tls needs a certificate, and none in {certificates.folder}{found}"
        "put it there as certs/README.md says, or let `sunset certs self-signed` make one to try out"
    )


def _endpoint_of(sock: socket.socket) -> Endpoint:
    host, port = sock.getsockname()[:2]
    return Endpoint(host, port)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415 - there is none for Windows

    return uvloop.new_event_loop
