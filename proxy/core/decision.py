"""What is done with a request: a small sum type of frozen values (RFC 9110 sections 9 and 15).

A decision is a `Cause` (everything that was known before the request came: site, phase, rule and where it is written,
headers) and the little that depends on the request. Whoever uses one goes through `match` and ends in `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from proxy.core.kind import Kind
    from proxy.core.mapping import MappingTable
    from proxy.core.model import Site
    from proxy.core.schedule import Phase
    from proxy.errors import Place


class Outcome(StrEnum):
    """The names of the outcomes, as `--json`, metrics and reports write them."""

    REDIRECT = "redirect"
    FORWARD = "forward"
    GONE = "gone"
    NOT_FOUND = "not-found"
    LOCAL = "local"
    MISDIRECTED = "misdirected"
    BAD_REQUEST = "bad-request"


class Resource(StrEnum):
    """What Sunset serves itself."""

    NOTICE = "notice"
    DISMISS = "dismiss"
    ROBOTS = "robots"
    SITEMAP = "sitemap"
    WELL_KNOWN = "well-known"
    ACME_CHALLENGE = "acme-challenge"
    OPTIONS = "options"


@dataclass(frozen=True, slots=True, eq=False)
class Cause:
    """Why an answer is what it is: all that does not depend on the request.

    `rule` is the rule's name as metrics show it; `place` where it is written (for a mapping see `Redirect.place`).
    `headers` are the response headers that this answer carries besides `Location`, complete and in order;
    `secure_headers` are those that it carries over TLS.
    """

    site: Site = field(repr=False)
    phase: Phase
    kind: Kind
    rule: str
    place: Place
    headers: tuple[tuple[bytes, bytes], ...] = ()
    secure_headers: tuple[tuple[bytes, bytes], ...] = ()
    mappings: MappingTable | None = field(default=None, repr=False)


class Redirect(NamedTuple):
    """3xx to `location`, which is absolute. `row` is where the row stands in the mappings of the cause, else -1."""

    cause: Cause
    status: int
    location: bytes
    row: int

    @property
    def place(self) -> Place:
        """Where the rule, or the row of the mapping, is written."""
        mappings = self.cause.mappings
        return self.cause.place if mappings is None else mappings.place(self.row)


class Forward(NamedTuple):
    """Ask the origin. `successor` is the Location that this page will get at the cutover (phase `notice` only)."""

    cause: Cause
    notice: bool
    successor: bytes | None


class Gone(NamedTuple):
    """410."""

    cause: Cause


class NotFound(NamedTuple):
    """404. Without a cause: a known host where no site owns the path."""

    cause: Cause | None


class Local(NamedTuple):
    """Sunset answers itself.

    `name` is the well-known file's name, the part of a sitemap (empty: its index), or the token of a challenge that is
    ours to answer.
    """

    cause: Cause | None
    resource: Resource
    name: bytes


class Misdirected(NamedTuple):
    """421: a host that no site owns."""

    host: bytes


class BadRequest(NamedTuple):
    """400, 405 or 414; `reason` is fixed text, free of client bytes."""

    status: int
    reason: str


Decision = Redirect | Forward | Gone | NotFound | Local | Misdirected | BadRequest


def outcome_of(decision: Decision) -> Outcome:
    """The outcome's name."""
    return _OUTCOMES[type(decision)]


_OUTCOMES: dict[type[Decision], Outcome] = {
    Redirect: Outcome.REDIRECT,
    Forward: Outcome.FORWARD,
    Gone: Outcome.GONE,
    NotFound: Outcome.NOT_FOUND,
    Local: Outcome.LOCAL,
    Misdirected: Outcome.MISDIRECTED,
    BadRequest: Outcome.BAD_REQUEST,
}


def cause_of(decision: Decision) -> Cause | None:
    """The decision's cause, `None` where no site is behind it."""
    match decision:
        case Misdirected() | BadRequest():
            return None
        case _:
            return decision.cause
