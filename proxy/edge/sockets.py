"""The sockets that a server listens on, bound before anything else happens.

All that can go wrong with an address (it is in use, its port needs root, it is not of this machine) goes wrong here,
while there is still somebody to tell, and says what to do. Workers come and go; the sockets stay, so a connection that
nobody has accepted yet waits in the kernel for whoever comes next.
"""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.edge.configuration.settings import Endpoint, SettingsError

if TYPE_CHECKING:
    from proxy.edge.configuration.settings import Settings

SHARES_OUT: Final = sys.platform == "linux"
"""Whether sockets that have the same address (SO_REUSEPORT) get a like share of new clients each."""


class Listening(NamedTuple):
    """A socket for clients; `introduced` says whether they come with a header of the PROXY protocol."""

    sock: socket.socket
    introduced: bool = False

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens: with the port that was taken for 0."""
        return replace(endpoint_of(self.sock), introduced=self.introduced)


@dataclass(frozen=True, slots=True)
class Sockets:
    """Listening sockets by what is spoken on them."""

    http: tuple[Listening, ...] = ()
    https: tuple[Listening, ...] = ()
    admin: socket.socket | None = None

    @classmethod
    def bind(cls, settings: Settings, *, among: int = 1) -> Sockets:
        """All that settings ask for; `among` workers more sockets may come `beside`. Raises `SettingsError`."""
        backlog = settings.limits.backlog
        shares = SHARES_OUT and among > 1
        with ExitStack() as bound:
            admin = None if settings.admin is None else bound.enter_context(bind(settings.admin, backlog))
            http, https = (
                tuple(
                    Listening(bound.enter_context(bind(endpoint, backlog, shares=shares)), endpoint.introduced)
                    for endpoint in endpoints
                )
                for endpoints in (settings.listen, settings.listen_tls)
            )
            bound.pop_all()
        return cls(http, https, admin)

    def beside(self, backlog: int) -> Sockets:
        """More sockets for the same addresses, to which the kernel gives their share of clients. Raises `OSError`."""
        with ExitStack() as bound:
            http, https = (
                tuple(
                    Listening(bound.enter_context(_beside(each.sock, backlog)), each.introduced) for each in listening
                )
                for listening in (self.http, self.https)
            )
            bound.pop_all()
        return Sockets(http, https)

    @property
    def endpoints(self) -> dict[str, tuple[Endpoint, ...]]:
        """Where they listen, by what is spoken there. Open sockets know it, so ask before they are closed."""
        return {
            "http": tuple(each.endpoint for each in self.http),
            "https": tuple(each.endpoint for each in self.https),
            "admin": () if self.admin is None else (endpoint_of(self.admin),),
        }

    def share(self, place: int, places: int) -> Sockets:
        """Of all that listen at the same address those of one place among so many, at least one."""
        return Sockets(_share(self.http, place, places), _share(self.https, place, places))

    def duplicates(self) -> Sockets:
        """The same sockets once more, for whoever closes them."""
        return Sockets(
            tuple(each._replace(sock=each.sock.dup()) for each in self.http),
            tuple(each._replace(sock=each.sock.dup()) for each in self.https),
            None if self.admin is None else self.admin.dup(),
        )

    def close(self) -> None:
        """Listen no more, as far as this process goes."""
        for each in (*self.http, *self.https):
            each.sock.close()
        if self.admin is not None:
            self.admin.close()


HANDED_NOTHING: Final = Sockets()


@dataclass(frozen=True, slots=True)
class Places:
    """The sockets of every worker: each has one of its own for each address, and the kernel shares clients out.

    With one socket for all, whoever wakes first accepts most of them: of a burst of 64 clients one worker of two got
    62. Of sockets that came from outside each worker gets its share; where they are too few, some have the same.
    """

    workers: tuple[Sockets, ...]
    admin: Sockets

    @classmethod
    def bind(cls, settings: Settings, handed: Sockets = HANDED_NOTHING) -> Places:
        """Those that were handed over; where there are none, all that settings ask for. Raises `SettingsError`."""
        count = settings.worker_count
        if handed.admin is not None:
            settings = replace(settings, admin=None)
        if handed.http or handed.https:
            settings = replace(settings, listen=(), listen_tls=())
        first = Sockets.bind(settings, among=count)
        admin = Sockets(admin=first.admin if handed.admin is None else handed.admin)
        if handed.http or handed.https:
            return cls(tuple(handed.share(place, count) for place in range(count)), admin)
        workers = [Sockets(first.http, first.https)]
        try:
            while SHARES_OUT and len(workers) < count:
                workers.append(first.beside(settings.limits.backlog))
        except OSError as error:
            for sockets in (first, *workers):
                sockets.close()
            wanted = (*settings.listen, *settings.listen_tls)[0]
            raise SettingsError(f"cannot listen: {_advice(error, wanted)}") from error
        return cls(tuple(workers), admin)

    def of(self, place: int) -> Sockets:
        """Those of one worker."""
        return self.workers[place % len(self.workers)]

    @property
    def speaks_tls(self) -> bool:
        """Whether certificates are needed."""
        return any(sockets.https for sockets in self.workers)

    @property
    def endpoints(self) -> dict[str, tuple[Endpoint, ...]]:
        """Where all of them listen, by what is spoken there. Ask before they are closed."""
        found = [sockets.endpoints for sockets in (*self.workers, self.admin)]
        return {name: tuple(dict.fromkeys(endpoint for each in found for endpoint in each[name])) for name in found[0]}

    def close_public(self) -> None:
        """Accept no more clients, as far as this process goes."""
        for sockets in self.workers:
            sockets.close()


def bind(endpoint: Endpoint, backlog: int, *, shares: bool = False) -> socket.socket:
    """A listening socket, perhaps one that shares its clients. Raises `SettingsError` with what to do about it."""
    host = endpoint.host or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")  # noqa: S104 - that is what was asked
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"cannot listen on {endpoint}: {host} is no address of this machine") from error
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"cannot listen on {endpoint}: {_advice(error, endpoint)}") from error
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if not endpoint.host else 1)
        sock.bind(address)  # alone: while it shares, another server could take half of its clients unnoticed
        if shares:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise SettingsError(f"cannot listen on {endpoint}: {_advice(error, endpoint)}") from error
    return sock


def _share(listening: tuple[Listening, ...], place: int, places: int) -> tuple[Listening, ...]:
    by_address: dict[Endpoint, list[Listening]] = {}
    for each in listening:
        by_address.setdefault(each.endpoint, []).append(each)
    shares = (alike[place::places] or [alike[place % len(alike)]] for alike in by_address.values())
    return tuple(each for share in shares for each in share)


def _beside(first: socket.socket, backlog: int) -> socket.socket:
    sock = socket.socket(first.family, first.type, first.proto)
    try:
        sock.setblocking(False)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            sock.setsockopt(socket.SOL_SOCKET, option, 1)
        if first.family == socket.AF_INET6:
            v6only = first.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        sock.bind(first.getsockname())
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def endpoint_of(sock: socket.socket) -> Endpoint:
    """Where a bound socket listens: the port that was taken for 0."""
    host, port = sock.getsockname()[:2]
    return Endpoint(host, port)


def _advice(error: OSError, endpoint: Endpoint) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the address is in use; another server has it, perhaps another Sunset"
        case errno.EACCES:
            return f"port {endpoint.port} needs root or CAP_NET_BIND_SERVICE; ports from 1024 on do not"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case errno.EMFILE | errno.ENFILE:
            return "no file descriptors are left; raise the limit (ulimit -n, LimitNOFILE)"
        case _:
            return str(error.strerror or error)
