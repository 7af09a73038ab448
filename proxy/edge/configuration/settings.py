"""Everything about a running server that can be set, by name, with defaults that are safe on the open internet.

A field here is all that a new setting needs: its type says how it is written and within which range, its docstring is
the manual, and `configuration` finds it in the environment and in sunset.toml. `sunset settings --markdown` writes
docs/settings.md anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from proxy.core.url import MAX_TARGET_BYTES
from proxy.edge.configuration.cores import available_cores
from proxy.edge.configuration.notation import BYTES, INSTANT, NETWORK, SECONDS, SUFFIX, Notation
from proxy.errors import SunsetError
from proxy.wire.forwarded import Kind

if TYPE_CHECKING:
    from pydantic_core.core_schema import CoreSchema

Bytes = Annotated[int, Ge(1), Le(2**40), BYTES]
Count = Annotated[int, Ge(1), Le(2**31 - 1)]
Seconds = Annotated[float, Gt(0), Le(366 * 86_400), SECONDS]
WholeSeconds = Annotated[int, Ge(1), Le(366 * 86_400), SECONDS]
Instant = Annotated[datetime, INSTANT]
Network = Annotated[IPv4Network | IPv6Network, NETWORK]
Suffix = Annotated[str, SUFFIX]

_ENDPOINT = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[^\]]+)?)\]|(?P<host>[^:\[\]]*)):(?P<port>\d{1,5})(?P<introduced>\+proxy)?"
)
_MAX_PORT = 65535


class SettingsError(SunsetError, ValueError):
    """Settings that a server cannot or must not be started with."""


class AccessFormat(StrEnum):
    """How a line of the access log is written."""

    JSON = "json"
    COMBINED = "combined"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a listener listens. Port 0 takes any that is free; an empty host is every address of the machine.

    Where connections are `introduced`, each begins with a header of the PROXY protocol, and none is heard without one.
    """

    host: str
    port: int
    introduced: bool = False

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From `HOST:PORT`, `[IPv6]:PORT` or `:PORT`, each perhaps with `+proxy`. Raises `SettingsError`."""
        match = _ENDPOINT.fullmatch(text)
        if match is None or int(match["port"]) > _MAX_PORT:
            raise SettingsError(f'"{text}" is no address with a port; write it as 127.0.0.1:8080, [::1]:8080 or :8080')
        return cls(match["v6"] or match["host"], int(match["port"]), introduced=match["introduced"] is not None)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """Where a setting is read, an endpoint is its text."""
        from pydantic_core import core_schema  # noqa: PLC0415 - only who reads settings needs it

        return core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}{'+proxy' if self.introduced else ''}"


def _for_operators(text: str) -> Endpoint:
    endpoint = Endpoint.parse(text)
    if endpoint.introduced:
        raise SettingsError(f'"{text}": only clients are introduced; write it without +proxy')
    return endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, and numbers of things."""

    target: Annotated[Bytes, Ge(1024), Le(MAX_TARGET_BYTES)] = MAX_TARGET_BYTES
    """The request target of a client; above it, 414."""
    field: Annotated[Bytes, Ge(1024)] = 8190
    """One header field of a client, name and value; above it, 431."""
    fields: Annotated[Count, Ge(16)] = 128
    """Header fields of a client; above it, 431."""
    head: Annotated[Bytes, Ge(1024)] = 32 * 1024
    """All of a request's head; above it, 431."""
    requests: Count = 1000
    """Requests on one connection; the answer to the last one closes it."""
    connections: Count = 20_000
    """Clients' connections in one process; above it, new ones are closed at once."""
    client_connections: Count = 512
    """Connections of one client, an IPv4 address or an IPv6 network of 64 bits; above it, its new ones are closed. A
    trusted proxy may have more."""
    arriving: Count = 2048
    """Connections in one process for which TLS is not agreed yet, or that are not introduced; above it, new ones are
    closed."""
    client_arriving: Count = 256
    """Those of one client; above it, its new ones are closed. A trusted proxy may have more."""
    descriptors_kept: Count = 256
    """File descriptors that clients' connections never take, of those that the process may open."""
    body_rate: Bytes = 128
    """What a client's body brings at least in a second, over `timeouts.body_rate`; below it, 408."""
    origin_field: Annotated[Bytes, Ge(1024)] = 64 * 1024
    """One header field of an origin: a content security policy of 9 KB is nothing unusual. Above it, 502."""
    origin_fields: Annotated[Count, Ge(16)] = 256
    """Fields of an origin's answer; above it, 502."""
    origin_head: Annotated[Bytes, Ge(4096)] = 128 * 1024
    """The head of an origin's answer in all, and its trailers in all; above it, 502."""
    origin_connections: Count = 1024
    """Connections to one origin; above it, requests wait for one within `timeouts.connect`."""
    inflated: Bytes = 256 * 1024 * 1024
    """What a page becomes at most that an origin has compressed, where a notice goes in; above it, it is broken off."""
    inflation: Annotated[Count, Ge(16)] = 256
    """How often its size such a page becomes at most, beyond the first 8 MiB; above it, likewise."""
    buffer: Annotated[Bytes, Ge(4096)] = 64 * 1024
    """How much of a body is held for a side that is slower than the other."""
    backlog: Count = 4096
    """Connections that the kernel holds until they are accepted."""
    introduction: Annotated[Bytes, Ge(107)] = 4096
    """A header of the PROXY protocol, with all its extensions; above it, the connection is closed."""
    least_descriptors: int = 128
    """Files and sockets that a process may have open; with fewer, a server does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds."""

    keep_alive: Seconds = 75.0
    """For a client's connection without a request on it, also before the first."""
    handshake: Seconds = 10.0
    """For a client's TLS handshake, from the connection to its end."""
    farewell: Seconds = 5.0
    """For a client to end its side of TLS (close_notify), once the last answer is with it."""
    head: Seconds = 10.0
    """For the head of a request, from its first byte to its last; above it, 408."""
    body_rate: Seconds = 20.0
    """Over which the rate of a client's body is looked at."""
    taking: Seconds = 60.0
    """For a client to take some more of its answer; above it, the connection is cut."""
    introduction: Seconds = 5.0
    """For the header of the PROXY protocol, on a listener that wants one; above it, the connection is closed."""
    body: Seconds = 60.0
    """For the next bytes of a client's body; above it, 408."""
    unread: Seconds = 5.0
    """For reading away what is left of a body that nobody wanted, before the connection is closed."""
    linger: Seconds = 1.0
    """For a client to take the answer to a malformed request in, before the connection is closed."""
    connect: Seconds = 5.0
    """For a connection to the origin, with name lookup and TLS; above it, 504."""
    answer: Seconds = 60.0
    """For the head of the origin's answer, once the request is with it; above it, 504."""
    silence: Seconds = 60.0
    """For the next bytes of the origin's body; above it, the client's connection is aborted."""
    tunnel: Seconds = 900.0
    """For a WebSocket on which neither side says anything; above it, both are closed."""
    left_out: Seconds = 10.0
    """For an origin that could not be reached, or did not answer in time, where a site has others."""
    dns: Seconds = 30.0
    """For which an origin's addresses are taken as looked up."""
    dns_answer: Seconds = 2.0
    """For a lookup; above it, the last known addresses are taken."""
    dns_last_known: Seconds = 600.0
    """For which the last known addresses of an origin go on while lookups fail."""
    origin_keep_alive: Seconds = 15.0
    """For a connection to the origin without a request on it."""
    retry_after: WholeSeconds = 30
    """What a client is told to wait after 502 and 504."""
    certificates: Seconds = 10.0
    """Between two looks at the files of certificates."""
    log_line: Seconds = 1.0
    """Between two lines of the log about the same kind of trouble; those that would come before are counted."""
    stop: Seconds = 30.0
    """For answers that are under way when the server is told to stop."""
    last_request: Seconds = 2.0
    """For a last request on a connection whose worker is replaced by one with new rules."""
    report: Seconds = 0.2
    """For workers to report what they have counted when metrics are asked for."""
    retire: Seconds = 600.0
    """For what clients are at when their worker is replaced: downloads, WebSockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """When another process takes the place of one that has died."""

    restart_pause: Seconds = 0.5
    """Before a process that has died a second time is started again; it doubles with each further time."""
    longest_restart_pause: Seconds = 30.0
    """How long that pause grows."""
    settled: Seconds = 10.0
    """After which a process has lived so long that, should it die, it is started again at once."""
    stillborn: Count = 3
    """How often a worker may die before it has answered at all, until its rules are given up."""
    report_every: Annotated[Seconds, Le(60)] = 1.0
    """How often workers tell the desk what they have counted, and give a sign of life."""
    silence: Seconds = 60.0
    """For which a worker may give none, until it is killed and replaced."""
    unread: Bytes = 64 * 1024 * 1024
    """What the desk may leave unread of what it is told, until it is killed and replaced."""
    last_words: Seconds = 5.0
    """For a process that is to have ended, beyond `timeouts.stop`, before it is killed."""


class Watching(StrEnum):
    """How changes in the rule folder are noticed."""

    EVENTS = "events"
    """The machine tells of them."""
    POLL = "poll"
    """The folder is looked through: for network file systems, which tell nothing."""
    OFF = "off"
    """Not at all: SIGHUP and `sunset reload` alone load rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloads:
    """When rules are loaded anew, and when they are not taken."""

    settle: Annotated[Seconds, Ge(0.01)] = 0.2
    """For which nothing more must change before a change is heeded; after ten times that it is heeded all the same."""
    look_every: Annotated[Seconds, Ge(0.1)] = 1.0
    """How often the folder is looked through: for what nobody tells of, and with `poll` for all."""
    patience: Seconds = 600.0
    """For new rules to be loaded and their workers to begin; then they are given up, and those in use stay."""
    niceness: Annotated[int, Ge(0), Le(19)] = 10
    """How far the loading stands back behind workers that are busy (nice)."""
    largest_loss: Annotated[float, Ge(0), Le(1)] = 0.2
    """The share of rules, or of sites, that may be gone after a reload without `--allow-shrink`."""
    generations: Count = 4
    """Generations of workers that may be finishing at a time; above it, the oldest gets `timeouts.stop`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `sunset serve` is told."""

    listen: tuple[Endpoint, ...] = (Endpoint("127.0.0.1", 8080),)
    """Where clients are answered. With `+proxy` behind it a connection has to begin with a header of the PROXY protocol
    (version 1 or 2), and to come from this machine or from a trusted proxy."""
    listen_tls: tuple[Endpoint, ...] = ()
    """Where they are answered over TLS; likewise with `+proxy`, whose header comes before TLS."""
    certs: Path = Path("certs")
    """The folder of certificates for that."""
    data: Path = Path("data")
    """The folder of what Sunset writes: account and answers of ACME."""
    admin: Annotated[Endpoint, Notation(_for_operators)] | None = Endpoint("127.0.0.1", 9900)
    """Where /metrics, /livez and /readyz are; `off` for no such listener."""
    admin_token: str = field(default="", repr=False)
    """Asked for by the admin listener; demanded where it listens on more than loopback."""
    at: Instant | None = None
    """Where the clock starts, to rehearse; UTC unless it has an offset. `off`: the time that it is."""
    trusted_proxies: tuple[Network, ...] = ()
    """The networks of the proxies in front: they are believed in who the client is, and which scheme it spoke."""
    trusted_fields: Kind = Kind.X_FORWARDED
    """What those proxies write: `x-forwarded` (X-Forwarded-For and -Proto) or `forwarded` (RFC 7239). The other one
    is never read: a proxy that does not write it lets a client's own pass."""
    preview_suffix: Suffix = ""
    """What may stand behind every host, as in po.co.localhost with `.localhost`, for a browser to find this machine."""
    access_log: str = ""
    """The file to which a line is added for each request; `-` for standard output, nothing for no such log."""
    access_log_format: AccessFormat = AccessFormat.JSON
    """How such a line is written: `json`, or `combined` as web servers have it."""
    access_log_every: Count = 1
    """Of so many requests one has a line."""
    timed_every: Count = 64
    """Of the answers that the front door gives, one in so many is timed for the histogram, and stands for all."""
    front_door: bool = True
    """Whether plain requests are answered at the front door; without it all take the full path, to the same answers."""
    workers: Annotated[int, Ge(1), Le(1024)] | Literal["auto"] = "auto"
    """How many processes answer clients; `auto`: one for each core that Sunset may use."""
    watch: Watching = Watching.EVENTS
    """How changes of the rules are noticed: by `events` of the machine, by `poll` (network file systems), or `off`."""
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    processes: Processes = field(default_factory=Processes)
    reloads: Reloads = field(default_factory=Reloads)

    @property
    def worker_count(self) -> int:
        """How many workers there are."""
        return available_cores() if self.workers == "auto" else self.workers
