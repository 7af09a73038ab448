"""Dates and times as rule files write them, and the instants that they mean in a time zone.

A date is the first instant of that local day, also where midnight itself is skipped. A local time that clocks are put
forward over never comes and is refused; of one that comes twice the first is meant. The rules come from `zoneinfo`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from proxy.rulebook.refusal import Refusal, did_you_mean

MOMENT_PATTERN: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)? ?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
"""What a date or time looks like (RFC 3339, seconds and offset optional)."""

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?: ?(Z|([+-])(\d\d):(\d\d)))?)?", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a date and time, as it was written: `wall` on the clock of `offset`, or of whoever reads it."""

    wall: datetime
    offset: tzinfo | None = None
    whole_day: bool = False

    @property
    def is_local(self) -> bool:
        """Whether its instant depends on a time zone."""
        return self.offset is None


def parse_moment(text: str) -> Moment:
    """A date or time. Raises `Refusal`."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise Refusal(
            "bad-date", f'"{text}" is not a date or time as in 2024-12-31, 2024-12-31T10:00 or 2024-12-31T10:00Z'
        )
    year, month, day, hour, minute, second, fraction, offset, sign, hours, minutes = match.groups()
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        raise Refusal("bad-date", f"the year {year} is not one that a site could close in")
    try:
        micro = int((fraction or "0").ljust(6, "0"))
        wall = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro)  # noqa: DTZ001 - local until resolved
    except ValueError as error:
        raise Refusal("bad-date", f'no calendar has "{text}": {error}') from None
    zone: tzinfo | None = None
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            raise Refusal("bad-date", f'"{offset}" is no offset from UTC')
        zone = timezone((1 if sign == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes)))
    elif offset:
        zone = UTC
    return Moment(wall, zone, whole_day=hour is None)


@lru_cache(maxsize=4096)
def resolve(moment: Moment, zone: tzinfo) -> tuple[datetime, bool]:
    """The instant in UTC, and whether its local time comes twice.

    Raises `Refusal` where the local time never comes.
    """
    if moment.offset is not None:
        return moment.wall.replace(tzinfo=moment.offset).astimezone(UTC), False
    local = moment.wall.replace(tzinfo=zone)
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first == second:
        return first, False
    if first < second:  # clocks are put back over it
        return first, not moment.whole_day
    # Clocks are put forward over it: `fold` 0 counts by the old offset and so lies after the change, 1 before it.
    change = _change_between(second, first, zone)
    after = change.astimezone(zone)
    if moment.whole_day and after.date() == moment.wall.date():
        return change, False
    message = f"the clocks of {zone} are put forward over this time; the next that comes is {after:%Y-%m-%dT%H:%M}"
    raise Refusal("time-skipped", message)


def parse_zone(name: str) -> ZoneInfo:
    """A time zone of the IANA database. Raises `Refusal`."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        known = available_timezones()
    hint = did_you_mean(name, known)
    advice = hint if "did you mean" in hint else ", as in Europe/London"
    raise Refusal("unknown-timezone", f'"{name}" is not a time zone of the IANA database{advice}')


def _change_between(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The second at which the offset changes, between two instants that lie around one change."""
    offset = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
