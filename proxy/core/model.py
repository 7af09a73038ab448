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

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that Sunset serves itself, read at load."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Notice:
    """The banner and the announcement page behind it (rule-file key `notice`).

    `message` and `page` may hold `{milestone}` placeholders; `page` is Markdown, empty where there is none.
    """

    message: str
    link: str = ""
    page: str = ""
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
    moves_to: Target | None = None
    pass_through: bool = False
    rules: tuple[Rule, ...] = ()
    mappings: tuple[MappingTable, ...] = ()
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
