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

_QUOTED = rb'"(?>(?:[^"\\]|\\.)*)"'
_TIMES = re.compile(
    _QUOTED + rb"|(?<![^\s,;])(?:(?P<fresh>max-age|s-maxage)|stale-while-revalidate|stale-if-error)"
    rb'\s*=\s*"?\s*\+?(?P<seconds>[0-9]++)',
    re.IGNORECASE,
)
_SAYS_HOW_LONG = re.compile(rb"(?<![^\s,;])(?:max-age\s*=|(?:no-store|no-cache)(?![^\s,;]))", re.IGNORECASE)
_PUBLIC = re.compile(rb"(?<![^\s,;])public(?![^\s,;])", re.IGNORECASE)
_MOST_DIGITS = 10  # 300 years

_TELLING: Final = frozenset(
    {b"cache-control", b"expires", b"last-modified", b"pragma", b"set-cookie", b"surrogate-control"}
)
_TARGETED: Final = b"cdn-cache-control"  # the end of a name: of Cache-Control for one kind of caches
_IMF_FIXDATE = re.compile(rb"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT")
_MONTHS: Final = {
    name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}

_GUESSED: Final = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses that a cache may keep without being told for how long (RFC 9110 section 15.1)."""
_KEPT_FOR_EVER: Final = frozenset({300, 301, 308, 410})
"""Of these, the ones that browsers keep so even if they know no age."""
_READING: Final = frozenset({b"GET", b"HEAD"})


def capped(headers: Sequence[Header], method: bytes, status: int, now: datetime, until: datetime) -> list[Header]:
    """The header fields of an answer that is sent at `now`, with no lifetime that reaches past `until`."""
    left = max(0, int((until - now).total_seconds()))
    said, lifetime, modified, cookie = False, 0, b"", False
    limiting: list[int] = []  # where fields stand that say how long
    for index, (name, value) in enumerate(headers):
        field = name.lower()
        if field not in _TELLING and not field.endswith(_TARGETED):
            continue
        match field:
            case b"pragma":
                said = said or b"no-cache" in value.lower()
            case b"expires":
                said, lifetime = True, max(lifetime, _seconds(now, _instant(value), left))
                limiting.append(index)
            case b"last-modified":
                modified = value
            case b"set-cookie":
                cookie = True
            case _:
                said = said or (field == b"cache-control" and _SAYS_HOW_LONG.search(_unquoted(value)) is not None)
                lifetime = max(lifetime, _longest(value, left))
                limiting.append(index)
    fields = list(headers)
    for index in limiting:
        fields[index] = _cut(fields[index], left, left - lifetime if said else 0, until)
    if said or method not in _READING or not (status in _GUESSED or _is_public(headers)):
        return fields
    if _guess(status, now, modified) > left:
        fields.append((b"Cache-Control", b"%bmax-age=%d" % (b"private, " if cookie else b"", min(left, LONGEST_GUESS))))
    return fields


def _cut(header: Header, left: int, spare: int, until: datetime) -> Header:
    """A field that says how long: what makes fresh is cut to `left` seconds, what lets a stale answer in to `spare`."""
    name, value = header
    if name.lower() == b"expires":
        expires = _instant(value)
        return header if expires is None or expires <= until else (name, _http_date(until))

    def cut(time: re.Match[bytes]) -> bytes:
        if time["seconds"] is None:
            return time[0]
        longest = left if time["fresh"] else spare
        if _number(time["seconds"]) <= longest:
            return time[0]
        return time[0].removesuffix(time["seconds"]) + b"%d" % longest

    return (name, _TIMES.sub(cut, value))


def _is_public(headers: Sequence[Header]) -> bool:
    """Whether caches may keep an answer of any status."""
    return any(name.lower() == b"cache-control" and _PUBLIC.search(_unquoted(value)) for name, value in headers)


def _unquoted(value: bytes) -> bytes:
    """The directives of a field, without what stands in quotes."""
    return re.sub(_QUOTED, b'""', value) if b'"' in value else value


def _longest(value: bytes, left: int) -> int:
    """The longest lifetime in a field once it is cut."""
    longest = 0
    for time in _TIMES.finditer(value):
        if time["fresh"]:
            longest = max(longest, min(_number(time["seconds"]), left))
    return longest


def _number(digits: bytes) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _seconds(now: datetime, expires: datetime | None, left: int) -> int:
    return 0 if expires is None else min(max(0, int((expires - now).total_seconds())), left)


def _guess(status: int, now: datetime, last_modified: bytes) -> float:
    """For how many seconds a cache might keep an answer that does not say."""
    if status in _KEPT_FOR_EVER:
        return inf
    modified = _instant(last_modified) if last_modified else None
    return 0 if modified is None else (now - modified).total_seconds() / 10


def _instant(value: bytes) -> datetime | None:
    """An HTTP-date of any of its three forms (RFC 9110 section 5.6.7); `None` for what is none."""
    try:
        if (fixed := _IMF_FIXDATE.fullmatch(value)) and fixed[2] in _MONTHS:  # the form that is sent
            day, month, *rest = fixed.groups()
            year, hour, minute, second = map(int, rest)
            return datetime(year, _MONTHS[month], int(day), hour, minute, second, tzinfo=UTC)
        instant = parsedate_to_datetime(value.decode("latin-1"))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _http_date(instant: datetime) -> bytes:
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0), usegmt=True).encode()
