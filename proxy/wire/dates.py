"""Dates and the time that is left, as the readers of a site write and count them (CLDR, by way of Babel).

A milestone at the first instant of a local day is that day; any other also has its time and zone. Time left is counted
in whole local days, as people do: on the eve it is `tomorrow` at any hour. A language that CLDR does not know is looked
up by its longest known prefix (RFC 4647 section 3.4), and is English where there is none.

Everything here is for load time: what a site shows all day long is made once a day.
"""
# ruff: noqa: RUF001 - an apostrophe is written as the language writes it

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from math import inf
from typing import TYPE_CHECKING, Final, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([^{}\s]+)\}")
_ENGLISH: Final = "en"
_NEAR: Final = {
    "ar": ("اليوم", "غدًا"),
    "de": ("heute", "morgen"),
    "en": ("today", "tomorrow"),
    "es": ("hoy", "mañana"),
    "fr": ("aujourd’hui", "demain"),
    "he": ("היום", "מחר"),
    "id": ("hari ini", "besok"),
    "it": ("oggi", "domani"),
    "ja": ("今日", "明日"),
    "nl": ("vandaag", "morgen"),
    "pl": ("dzisiaj", "jutro"),
    "pt": ("hoje", "amanhã"),
    "ru": ("сегодня", "завтра"),
    "tr": ("bugün", "yarın"),
}
"""Today and tomorrow, which Babel's data does not have."""

_WEEK, _MONTH, _YEAR = 7, 30.44, 365.25
_DAYS_UNTIL, _WEEKS_UNTIL, _MONTHS_UNTIL = 3 * _WEEK, 9 * _WEEK, 2 * _YEAR


class Dates:
    """How one site writes dates: in its language, by its clocks."""

    __slots__ = ("_locale", "_timezone", "direction", "language")

    def __init__(self, language: str, timezone: tzinfo) -> None:
        self._locale = _locale(language)
        self._timezone = timezone
        self.language: str = self._locale.language
        """The primary subtag of the language that is really written."""
        self.direction: str = self._locale.text_direction
        """`ltr` or `rtl`."""

    def date(self, instant: datetime) -> str:
        """The local day in its long form; with time and zone where it is not the day's first instant."""
        local = instant.astimezone(self._timezone)
        day: str = format_date(local.date(), "long", self._locale)
        if self._begins_a_day(instant, local):
            return day
        frame = str(self._locale.datetime_formats["long"]).replace("'", "")
        return frame.replace("{0}", self._time(local)).replace("{1}", day)

    def left(self, now: datetime, until: datetime) -> str | None:
        """The time from `now` to `until` as in `tomorrow`, `in 9 days`, `in 3 weeks`.

        `None` where it is over, and where CLDR has no words for it in this language.
        """
        if until <= now:
            return None
        days = (until.astimezone(self._timezone).date() - now.astimezone(self._timezone).date()).days
        near = _NEAR.get(self.language)
        if near is not None and days < len(near):
            return near[days]
        if days == 0:
            return None
        words = self._counted(days)
        return None if words.startswith("+") else words

    def filled(self, text: str, milestones: Mapping[str, datetime]) -> str:
        """`text` with `{cutover}` and other milestones as dates; what names none stays as it is."""

        def written(match: re.Match[str]) -> str:
            milestone = milestones.get(match[1])
            return match[0] if milestone is None else self.date(milestone)

        return _PLACEHOLDER.sub(written, text)

    def next_day(self, now: datetime) -> datetime:
        """The first instant of the local day after `now`: until then all of the above stays as it is."""
        tomorrow = now.astimezone(self._timezone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self._timezone).astimezone(UTC)

    def _begins_a_day(self, instant: datetime, local: datetime) -> bool:
        before = (instant.astimezone(UTC) - timedelta.resolution).astimezone(self._timezone)
        return before.date() != local.date()

    def _time(self, local: datetime) -> str:
        pattern = f"{self._locale.time_formats['short'].pattern} z"
        zone: str = format_time(local, "z", self._timezone, self._locale)
        if zone.startswith(("+", "-")):  # no name that people know: then say what it is counted from
            pattern = pattern.replace(" z", " ZZZZ")
        return format_time(local, pattern, self._timezone, self._locale)

    def _counted(self, days: int) -> str:
        if days < _DAYS_UNTIL:
            return self._words(timedelta(days=days), "day")
        if days < _WEEKS_UNTIL:
            return self._words(timedelta(weeks=round(days / _WEEK)), "week")
        if days < _MONTHS_UNTIL:
            return self._words(timedelta(days=30 * round(days / _MONTH)), "month")  # Babel's months have 30 days
        return self._words(timedelta(days=365 * round(days / _YEAR)), "year")

    def _words(self, length: timedelta, unit: Literal["day", "week", "month", "year"]) -> str:
        return format_timedelta(length, unit, threshold=inf, add_direction=True, locale=self._locale)


def _locale(language: str) -> Locale:
    """The locale of the longest part of the tag that is known."""
    subtags = language.replace("_", "-").split("-")
    for length in range(len(subtags), 0, -1):
        try:
            return Locale.parse("-".join(subtags[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(_ENGLISH)
