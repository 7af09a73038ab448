"""What is answered to one address, and why: a decision as `explain` tells it to programs.

The status and headers are those that the server sends, read from the same decision by the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, assert_never

import orjson

from proxy.core.decision import (
    BadRequest,
    Forward,
    Gone,
    Local,
    Misdirected,
    NotFound,
    Redirect,
    cause_of,
    outcome_of,
)
from proxy.core.kind import Kind
from proxy.rulebook.address import AddressError, parse_address
from proxy.wire.answer import as_text, headers_of, status_of

if TYPE_CHECKING:
    from proxy.core.decision import Decision
    from proxy.core.table import Table
    from proxy.errors import Place

MAX_HOPS: Final = 10
SEE_OTHER: Final = 303

"""The kinds behind which a rule or a row stands; all others are what happens where nobody wrote one."""

_WITHOUT_RULE: Final = {
    Kind.KEEP_PATH: "the path is kept",
    Kind.FALLBACK: 'what "unmapped" says',
    Kind.HTTPS: "plain HTTP is sent to https first",
    Kind.PHASE: "the phase decides",
    Kind.LOCAL: "a path of Sunset's own",
}


class Explanation(NamedTuple):
    """An address as it was asked for, what is decided, and whether it was asked over TLS."""

    url: str
    decision: Decision
    secure: bool

    @property
    def place(self) -> Place | None:
        """Where the rule or row is written that decided; `None` where there is none."""
        cause = cause_of(self.decision)
        if cause is None or not cause.kind.is_written:
            return None
        return self.decision.place if isinstance(self.decision, Redirect) else cause.place

    @property
    def location(self) -> str | None:
        """Where a redirect leads."""
        return self.decision.location.decode("latin-1") if isinstance(self.decision, Redirect) else None

    @property
    def in_words(self) -> str:
        """What is done, for people."""
        match self.decision:
            case Redirect():
                return "redirect"
            case Forward(_, notice, _):
                return "forward to the old site, with the notice" if notice else "forward to the old site"
            case Gone():
                return "gone: a page that names the new home"
            case NotFound(None):
                return "not found: no site of this host owns the path"
            case NotFound():
                return "not found: a page that names the new home"
            case Local(_, resource, _):
                return f"served by Sunset itself: {resource.value}"
            case Misdirected():
                return "misdirected: no site owns this host"
            case BadRequest(_, reason):
                return f"bad request: {reason}"
            case _:
                assert_never(self.decision)

    @property
    def rule_in_words(self) -> str:
        """Which rule decided, for people, with file and line; or what decides where there is none."""
        cause, place = cause_of(self.decision), self.place
        if cause is None:
            return "none: no site is asked"
        if place is None:
            return f"none: {_WITHOUT_RULE.get(cause.kind, cause.kind.value)}"
        why = next((rule.why for rule in cause.site.rules if rule.place == cause.place and rule.why), "")
        name = "a mapping" if cause.kind is Kind.MAPPING else f"{cause.rule} ({cause.kind.value})"
        return f"{place.file}:{place.line}  {name}{why and f', because: {why}'}"

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        decision = self.decision
        cause, place = cause_of(decision), self.place
        return {
            "url": self.url,
            "outcome": outcome_of(decision).value,
            "status": status_of(decision),
            "location": self.location,
            "notice": isinstance(decision, Forward) and decision.notice,
            "site": None if cause is None else cause.site.name,
            "phase": None if cause is None else cause.phase.value,
            "rule": None if place is None else f"{place.file}:{place.line}",
            "headers": as_text(headers_of(decision, secure=self.secure)),
        }


def explain(table: Table, url: str, method: bytes) -> Explanation:
    """What `table` answers to an address that a human wrote. What is no address is a bad request."""
    try:
        host, raw_target, secure = parse_address(url)
    except AddressError as error:
        return Explanation(url, BadRequest(400, str(error)), secure=True)
    return Explanation(url, table.decide(host, raw_target, method, secure), secure)


def explain_with_hops(table: Table, url: str, method: bytes) -> list[Explanation]:
    """What is answered to an address, then to where it leads, as long as one of the rulebook's sites answers there."""
    hops = [explain(table, url, method)]
    while (location := hops[-1].location) is not None and len(hops) <= MAX_HOPS:
        if status_of(hops[-1].decision) == SEE_OTHER:
            method = b"GET"
        hop = explain(table, location, method)
        if isinstance(hop.decision, Misdirected):
            break
        hops.append(hop)
    return hops


def explain_line(table: Table, line: bytes, method: bytes) -> bytes:
    """The JSON of what `table` answers to an address, given and returned as a line of UTF-8."""
    url = line.removesuffix(b"\r").decode("utf-8", "replace")
    return orjson.dumps(explain(table, url, method).as_json(), option=orjson.OPT_APPEND_NEWLINE)
