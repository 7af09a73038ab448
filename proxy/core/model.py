"""What a human wrote, checked and resolved: sites, rules, origins, notices.

These values are what `rulebook` makes of the YAML and what `compile` turns into tables. Everything is resolved here:
milestones are instants, files are their contents, defaults are filled in. Paths and whatever else goes onto the wire is
`bytes`; what only people read is `str`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from proxy.core.query import KEEP_ALL, Condition, KeepQuery
from proxy.core.schedule import ALWAYS, Schedule, Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

    from proxy.core.mapping import MappingTable
    from proxy.core.pattern import PathPattern, RegexPattern
    from proxy.core.target import Target
    from proxy.errors import Place

DEFAULT_REDIRECT_STATUS = 301
DEFAULT_CACHE_SECONDS = 3600


class Https(StrEnum):
    """What plain HTTP gets (rule-file key `https`)."""

    ALLOW = "allow"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Send the visitor to `target`. `None` leaves the choice to the site."""

    target: Target
    status: int | None = None
    cache: int | None = None
    keep_query: KeepQuery | None = None


@dataclass(frozen=True, slots=True)
class KeepPath:
    """Send the visitor to the site's `moves_to` with path and query kept."""


@dataclass(frozen=True, slots=True)
class AnswerGone:
    """410."""


@dataclass(frozen=True, slots=True)
class AnswerNotFound:
    """404."""


@dataclass(frozen=True, slots=True)
class PassOn:
    """Forward to the origin, also after the cutover."""


Action = RedirectTo | KeepPath | AnswerGone | AnswerNotFound | PassOn


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of intent.

    `name` is the pattern as it was written (metrics and reports show it); `methods` are upper-case names, HEAD included
    where GET is, `None` for all; `order` is the position in the file; `headers` replace the site's of the same
    name; `mapped` marks a row of a mapping whose old address has a query.
    """

    pattern: PathPattern | RegexPattern
    action: Action
    name: str
    place: Place
    order: int
    window: Window = ALWAYS
    conditions: tuple[Condition, ...] = ()
    methods: frozenset[bytes] | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    match_slash: bool = False
    mapped: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the old site still runs. `host` is a DNS name or an IP address without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> bytes:
        """Its own name as Host has it (RFC 9110 section 7.2): without the port that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}.get(self.scheme)
        return (host if self.port == usual else f"{host}:{self.port}").encode()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class OriginTls:
    """How an origin proves who it is (rule-file key `origin_tls`).

    `name` is asked for (SNI) and looked for in its certificate, in place of the origin's host; `ca` is PEM, and trusted
    in place of the machine's authorities. Without `verify` any certificate will do.
    """

    name: str = ""
    ca: str = field(default="", repr=False)
    verify: bool = True


class HostSent(StrEnum):
    """What the origin is asked for as Host (rule-file key `host`): what the client asked for, or its own name."""

    KEEP = "keep"
    ORIGIN = "origin"


class OriginFailure(StrEnum):
    """What visitors get when no origin answers (rule-file key `when_origin_fails`)."""

    ERROR = "error"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that Sunset serves itself, read at load."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Notice:
    """The banner and the announcement page behind it (rule-file key `notice`).

    `pages` is the announcement as Markdown by language tag, first the one for visitors who ask for none; empty where
    there is no announcement. `timeline` says what milestones mean, by milestone and by language tag. All of these texts
    and `message` may hold `{milestone}` placeholders.
    """

    message: str
    link: str = ""
    pages: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timeline: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    dismissible: bool = False
    skip: tuple[PathPattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """What one rule file describes. `base` is in normal form without a trailing slash: `b""` for `/`, else `b"/uk"`.

    `hosts` are lower-case DNS names; `*.po.co` takes every name below `po.co`. `cache` and `hsts` are in seconds and as
    the header's value.
    """

    name: str
    hosts: tuple[str, ...]
    place: Place
    base: bytes = b""
    language: str = "en"
    timezone: tzinfo = UTC
    schedule: Schedule = field(default_factory=Schedule)
    origins: tuple[Origin, ...] = ()
    origin_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    origin_tls: OriginTls = field(default_factory=OriginTls)
    host: HostSent = HostSent.KEEP
    when_origin_fails: OriginFailure = OriginFailure.ERROR
    moves_to: Target | None = None
    pass_through: bool = False
    rules: tuple[Rule, ...] = ()
    mappings: MappingTable | None = None
    unmapped: Action = field(default_factory=AnswerGone)
    status: int = DEFAULT_REDIRECT_STATUS
    cache: int = DEFAULT_CACHE_SECONDS
    keep_query: KeepQuery = KEEP_ALL
    match_case: bool = True
    match_slash: bool = False
    https: Https = Https.ALLOW
    hsts: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    well_known: Mapping[bytes, LocalFile] = field(default_factory=lambda: MappingProxyType({}))
    robots: bool = False
    sitemap: bool = False
    notice: Notice | None = None
