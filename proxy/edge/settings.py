"""Everything about a running server that can be set, by name, with defaults that are safe on the open internet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from proxy.core.url import MAX_TARGET_BYTES
from proxy.errors import SunsetError

if TYPE_CHECKING:
    from datetime import datetime

_ENDPOINT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[^\]]+)?)\]|(?P<host>[^:\[\]]*)):(?P<port>\d{1,5})")
_MAX_PORT = 65535


class SettingsError(SunsetError):
    """Settings that a server cannot or must not be started with."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a listener listens. Port 0 takes any that is free; an empty host is every address of the machine."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From `HOST:PORT`, `[IPv6]:PORT` or `:PORT`. Raises `SettingsError`."""
        match = _ENDPOINT.fullmatch(text)
        if match is None or int(match["port"]) > _MAX_PORT:
            raise SettingsError(f'"{text}" is no address to listen on; write it as 127.0.0.1:8080, [::1]:8080 or :8080')
        return cls(match["v6"] or match["host"], int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, and numbers of things."""

    target: int = MAX_TARGET_BYTES
    """The request target of a client; above it, 414."""
    field: int = 8190
    """One header field of a client, name and value; above it, 431."""
    fields: int = 128
    """Header fields of a client; above it, 431."""
    origin_field: int = 64 * 1024
    """One header field of an origin: a content security policy of 9 KB is nothing unusual."""
    origin_fields: int = 256
    origin_connections: int = 1024
    """Connections to one origin; above it, requests wait for one within `Timeouts.connect`."""
    buffer: int = 64 * 1024
    """How much of a body is held for a side that is slower than the other."""
    backlog: int = 4096
    """Connections that the kernel holds until they are accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds."""

    keep_alive: float = 75.0
    """For a client's connection without a request on it, also before the first."""
    body: float = 60.0
    """For the next bytes of a client's body; above it, 408."""
    unread: float = 5.0
    """For reading away what is left of a body that nobody wanted, before the connection is closed."""
    linger: float = 1.0
    """For a client to take the answer to a malformed request in, before the connection is closed."""
    connect: float = 5.0
    """For a connection to the origin, with name lookup and TLS; above it, 504."""
    answer: float = 60.0
    """For the head of the origin's answer, once the request is with it; above it, 504."""
    silence: float = 60.0
    """For the next bytes of the origin's body; above it, the client's connection is aborted."""
    tunnel: float = 900.0
    """For a WebSocket on which neither side says anything; above it, both are closed."""
    left_out: float = 10.0
    """For an origin that could not be reached, or did not answer in time, where a site has others."""
    dns: float = 30.0
    """For which an origin's addresses are taken as looked up."""
    dns_answer: float = 2.0
    """For a lookup; above it, the last known addresses are taken."""
    dns_last_known: float = 600.0
    """For which the last known addresses of an origin go on while lookups fail."""
    origin_keep_alive: float = 15.0
    """For a connection to the origin without a request on it."""
    retry_after: int = 30
    """What a client is told to wait after 502 and 504."""
    stop: float = 30.0
    """For answers that are under way when the server is told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `sunset serve` is told. `at` starts the clock there, to rehearse; `admin` is None for no such listener."""

    listen: tuple[Endpoint, ...] = (Endpoint("127.0.0.1", 8080),)
    admin: Endpoint | None = Endpoint("127.0.0.1", 9900)
    admin_token: str = field(default="", repr=False)
    """Asked for by the admin listener; demanded where it listens on more than loopback."""
    at: datetime | None = None
    preview_suffix: str = ""
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
