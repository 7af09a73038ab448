"""Coverage: what becomes of an old address, and whether that is what somebody meant for it.

Strategy: the one decider is asked, as the server asks it. Where a redirect stays on a host of the rulebook, its target
is asked in turn, as a browser would, so that chains, circles and dead ends show. What is found is a `Row`; whether it
counts as covered is said once, in `is_covered`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from proxy.audit.old_address import OldAddress
from proxy.core.decision import (
    BadRequest,
    Decision,
    Forward,
    Gone,
    Local,
    Misdirected,
    NotFound,
    Redirect,
    Resource,
    cause_of,
)
from proxy.core.kind import Kind
from proxy.core.schedule import Phase
from proxy.core.table import Table
from proxy.errors import Place
from proxy.rulebook.address import AddressError, parse_address

MAX_HOPS: Final = 10
"""After so many redirects a crawler gives up; so does the audit, and calls it a loop."""

_GET = b"GET"
_RULELESS = frozenset({Kind.KEEP_PATH, Kind.FALLBACK, Kind.PHASE, Kind.LOCAL})
"""The kinds of answers for which nobody wrote a rule."""


class Standing(StrEnum):
    """How an old address stands: the one word that the report has for it."""

    RULE = "rule"
    """A rule or a mapping sends it to its new place."""
    KEPT_PATH = "kept path"
    """No rule names it; it goes to the same path on the new site, whether or not there is such a page."""
    SERVED = "served"
    """It goes on to live: a site passed through, a rule that forwards, a file that is served here."""
    ENDED = "ended"
    """A rule says that it is gone or not found."""
    FALLBACK = "fallback"
    """No rule names it, and it is swept to where `unmapped` sends everything: search engines take that for a 404."""
    LOST = "lost"
    """No rule names it, and the answer is 410 or 404."""
    DEAD_END = "dead end"
    """It is redirected to an address of this rulebook that is gone, not found or malformed."""
    LOOP = "loop"
    """Its redirects lead in a circle, or through more than ten addresses."""
    NOT_YET = "not yet"
    """It is still forwarded: at the asked instant the cutover of its site is to come, and nothing is known of after."""
    MISDIRECTED = "misdirected"
    """No site owns its host."""
    MALFORMED = "malformed"
    """No request can be made of it."""


_COVERED = frozenset({Standing.RULE, Standing.KEPT_PATH, Standing.SERVED, Standing.ENDED})


def is_covered(standing: Standing) -> bool:
    """Whether an address that stands so is covered: what the coverage in per cent, and `--fail-under`, count.

    Covered is what a rule or a mapping redirects, forwards or ends (410, 404) on purpose, what keeps its path on the
    new site, and what lives on (passed through, or served by Sunset itself). Not covered is what falls back to one
    address for all, what is gone or not found without a rule that says so, what is redirected in a circle or into a
    dead end, what is malformed or on a host of no site; nor what is still forwarded because the cutover is to come.
    """
    return standing in _COVERED


class Row(NamedTuple):
    """One old address, and all that becomes of it.

    `decision` is the first answer; `further` are the answers to the addresses that it leads to, as far as they are on
    hosts of the rulebook.
    """

    address: OldAddress
    decision: Decision
    further: tuple[Decision, ...]
    standing: Standing

    @property
    def covered(self) -> bool:
        """See `is_covered`."""
        return self.standing in _COVERED

    @property
    def site(self) -> str | None:
        """The site that answers."""
        cause = cause_of(self.decision)
        return None if cause is None else cause.site.name

    @property
    def kind(self) -> Kind | None:
        """The kind of rule that made the answer; None where no site is behind it."""
        cause = cause_of(self.decision)
        return None if cause is None else cause.kind

    @property
    def end(self) -> bytes | None:
        """Where the last of its redirects leads; None where it is not redirected."""
        for decision in reversed(self.further):
            if type(decision) is Redirect:
                return decision.location
        return self.decision.location if type(self.decision) is Redirect else None

    @property
    def hops(self) -> int:
        """How many redirects it goes through, without those that only change http to https."""
        return sum(
            type(step) is Redirect and step.cause.kind is not Kind.HTTPS for step in (self.decision, *self.further)
        )


class Surveyor:
    """Asks a table about old addresses."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ours: dict[bytes, bool] = {}

    def row(self, address: OldAddress) -> Row:
        """What becomes of an address. Never raises: what is malformed is a row too."""
        try:
            host, raw_target, secure = parse_address(address.text)
        except AddressError as error:
            return Row(address, BadRequest(400, str(error)), (), Standing.MALFORMED)
        decision = self._table.decide(host, raw_target, _GET, secure)
        if type(decision) is Redirect and self._is_here(_split(decision.location)[0]):
            further, in_circle = self._follow(decision)
            standing = Standing.LOOP if in_circle else _standing_of_way((decision, *further))
            return Row(address, decision, further, standing)
        return Row(address, decision, (), _standing(decision))

    def _is_here(self, authority: bytes) -> bool:
        """Whether a site of this rulebook owns a target's host: the table knows, and is asked once for each."""
        ours = self._ours.get(authority)
        if ours is None:
            ours = self._ours[authority] = type(self._table.decide(authority, b"/")) is not Misdirected
        return ours

    def _follow(self, first: Redirect) -> tuple[tuple[Decision, ...], bool]:
        """The answers behind a redirect, and whether they never end."""
        seen = {first.location}
        further: list[Decision] = []
        location = first.location
        while self._is_here((way := _split(location))[0]):
            if len(further) == MAX_HOPS:
                return tuple(further), True
            step = self._table.decide(*way, _GET, location.startswith(b"https:"))
            further.append(step)
            if not isinstance(step, Redirect):
                break
            location = step.location
            if location in seen:
                return tuple(further), True
            seen.add(location)
        return tuple(further), False


def place_of(decision: Decision) -> Place | None:
    """Where the rule, the row of a mapping, or the site that answers is written."""
    if isinstance(decision, Redirect):
        return decision.place
    cause = cause_of(decision)
    return None if cause is None else cause.place


def _split(location: bytes) -> tuple[bytes, bytes]:
    """Authority and request target of a Location, which is absolute and always has a path."""
    _, _, authority, rest = location.split(b"/", 3)
    return authority, b"/" + rest


def _standing_of_way(way: tuple[Decision, ...]) -> Standing:
    """The standing of an address by all answers on its way: that of the first, unless a later one spoils it."""
    # From http to https on the same host is no answer yet.
    meant = [step for step in way if not (isinstance(step, Redirect) and step.cause.kind is Kind.HTTPS)]
    standing = _standing(meant[0])
    if standing in _COVERED:
        for step in meant[1:]:
            match step:
                case Redirect(cause=cause) if cause.kind is Kind.FALLBACK:
                    return Standing.FALLBACK
                case Redirect() | Forward() | Local():
                    pass
                case Gone() | NotFound() | Misdirected() | BadRequest():
                    return Standing.DEAD_END
                case _:
                    assert_never(step)
    return standing


def _standing(decision: Decision) -> Standing:
    """The standing that one answer gives."""
    match decision:
        case Redirect(cause=cause):
            match cause.kind:
                case Kind.KEEP_PATH:
                    return Standing.KEPT_PATH
                case Kind.FALLBACK:
                    return Standing.FALLBACK
                case _:
                    return Standing.RULE
        case Forward(cause=cause):
            ahead = cause.kind is Kind.PHASE and cause.phase in {Phase.BEFORE, Phase.NOTICE}
            return Standing.NOT_YET if ahead else Standing.SERVED
        case Gone(cause=cause) | NotFound(cause=cause):
            return Standing.LOST if cause is None or cause.kind in _RULELESS else Standing.ENDED
        case Local(resource=Resource.ACME_CHALLENGE):
            return Standing.LOST
        case Local():
            return Standing.SERVED
        case Misdirected():
            return Standing.MISDIRECTED
        case BadRequest():
            return Standing.MALFORMED
        case _:
            assert_never(decision)
