"""How long a forwarded answer may be kept: as the origin says, but never past an instant (RFC 9111 sections 4.2 and 5).

A cache that still holds the old page behind the cutover would not ask for the redirect. So lifetimes are cut where they
reach too far, and those for which a stale answer may stand in (RFC 5861) to what is left behind them; also where they
are meant for caches of one kind (RFC 9213). Nothing is made longer, and what says no-store, no-cache or private goes on
saying so. `immutable` speaks only of the time while an answer is fresh (RFC 8246), and stays.

An answer without any lifetime may be given one by guess, often a tenth of its age, and browsers keep some statuses for
ever. Where that may reach too far a lifetime is named: a day at most, as careful caches guess no longer than that.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.head import Header

LONGEST_GUESS: Final = 86400
"""The longest lifetime, in seconds, that is named for an answer that names none."""

_QUOTED = rb'"(?:[^"\\]|\\.)*+"'
_TIMES = re.compile(
    _QUOTED + rb"|(?<![^\s,;])(?:(?P<fresh>max-age|s-maxage)|stale-while-revalidate|stale-if-error)"
    rb'\s*=\s*"?\s*\+?(?P<seconds>[0-9]++)',
    re.IGNORECASE,
)
_SAYS_HOW_LONG = re.compile(rb"(?<![^\s,;])(?:max-age\s*=|(?:no-store|no-cache)(?![^\s,;]))", re.IGNORECASE)
_PUBLIC = re.compile(rb"(?<![^\s,;])public(?![^\s,;])", re.IGNORECASE)
_MOST_DIGITS = 10  # 300 years

_GUESSED: Final = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses that a cache may keep without being told for how long (RFC 9110 section 15.1)."""
_KEPT_FOR_EVER: Final = frozenset({300, 301, 308, 410})
"""Of these, the ones that browsers keep so even if they know no age."""
_READING: Final = frozenset({b"GET", b"HEAD"})


def capped(headers: Sequence[Header], method: bytes, status: int, now: datetime, until: datetime) -> list[Header]:
    """The header fields of an answer that is sent at `now`, with no lifetime that reaches past `until`."""
    left = max(0, int((until - now).total_seconds()))
    said, lifetime, public, modified, cookie = False, 0, False, b"", False
    for name, value in headers:
        match name.lower():
            case b"cache-control":
                directives = re.sub(_QUOTED, b'""', value) if b'"' in value else value
                said = said or _SAYS_HOW_LONG.search(directives) is not None
                public = public or _PUBLIC.search(directives) is not None
                lifetime = max(lifetime, _longest(value, left))
            case b"pragma":
                said = said or b"no-cache" in value.lower()
            case b"expires":
                said = True
                lifetime = max(lifetime, _seconds(now, _instant(value), left))
            case b"last-modified":
                modified = value
            case b"set-cookie":
                cookie = True
            case field if _is_targeted(field):
                lifetime = max(lifetime, _longest(value, left))
    fields = [_cut(header, left, left - lifetime if said else 0, until) for header in headers]
    if said or method not in _READING or not (public or status in _GUESSED):
        return fields
    if _guess(status, now, modified) > left:
        fields.append((b"Cache-Control", b"%bmax-age=%d" % (b"private, " if cookie else b"", min(left, LONGEST_GUESS))))
    return fields


def _cut(header: Header, left: int, spare: int, until: datetime) -> Header:
    """One field: what makes fresh is cut to `left` seconds, what lets a stale answer stand in to `spare`."""
    name, value = header
    field = name.lower()
    if field == b"expires":
        expires = _instant(value)
        return header if expires is None or expires <= until else (name, _http_date(until))
    if field != b"cache-control" and not _is_targeted(field):
        return header

    def cut(time: re.Match[bytes]) -> bytes:
        if time["seconds"] is None:
            return time[0]
        longest = left if time["fresh"] else spare
        if _number(time["seconds"]) <= longest:
            return time[0]
        return time[0].removesuffix(time["seconds"]) + b"%d" % longest

    return (name, _TIMES.sub(cut, value))


def _is_targeted(field: bytes) -> bool:
    """Whether a field is Cache-Control for one kind of caches: `CDN-Cache-Control`, and what came before it."""
    return field.endswith(b"cdn-cache-control") or field == b"surrogate-control"


def _longest(value: bytes, left: int) -> int:
    """The longest lifetime in a field once it is cut."""
    return max((min(_number(time["seconds"]), left) for time in _TIMES.finditer(value) if time["fresh"]), default=0)


def _number(digits: bytes) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _seconds(now: datetime, expires: datetime | None, left: int) -> int:
    return 0 if expires is None else min(max(0, int((expires - now).total_seconds())), left)


def _guess(status: int, now: datetime, last_modified: bytes) -> float:
    """For how many seconds a cache might keep an answer that does not say."""
    if status in _KEPT_FOR_EVER:
        return inf
    modified = _instant(last_modified)
    return 0 if modified is None else (now - modified).total_seconds() / 10


def _instant(value: bytes) -> datetime | None:
    """An HTTP-date of any of its three forms (RFC 9110 section 5.6.7); `None` for what is none."""
    try:
        instant = parsedate_to_datetime(value.decode("latin-1"))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _http_date(instant: datetime) -> bytes:
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0), usegmt=True).encode()
