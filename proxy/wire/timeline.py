"""The timeline of the announcement: the milestones of a site in order, each with its day, its state and its meaning.

A milestone is past, today or to come by the calendar of the site, and says so in words; the look of a state only
repeats it. The cutover and its like have a meaning of their own, which the rule file may word otherwise; a milestone
of the site's own is shown if the rule file says what it means. Where today lies between two of them, it has its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Final, assert_never

from proxy.core.schedule import CUTOVER, END, NOTICE
from proxy.wire.dates import Dates
from proxy.wire.language import lookup, primary_subtag
from proxy.wire.texts import is_right_to_left
from proxy.wire.timeline_texts import timeline_texts_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.core.model import Site

STYLE: Final = (
    ".timeline{list-style:none;margin:0 0 2rem;padding:0}"
    ".timeline li{position:relative;padding-block-end:1.25rem;padding-inline-start:1.75rem}"
    ".timeline li:last-child{padding-block-end:0}"
    ".timeline li::before{content:'';position:absolute;inset-inline-start:0;inset-block-start:.4375rem;"
    "box-sizing:border-box;width:.875rem;height:.875rem;border:2px solid var(--accent);border-radius:50%;"
    "background:Canvas;z-index:1}"
    ".timeline li:not(:last-child)::after{content:'';position:absolute;inset-inline-start:calc(.4375rem - 1px);"
    "inset-block:.4375rem -.4375rem;border-inline-start:2px solid var(--line)}"
    ".timeline .past::before{background:var(--accent)}"
    ".timeline .past:not(:last-child)::after{border-color:var(--accent)}"
    ".timeline .today::before{box-shadow:0 0 0 .25rem var(--halo);background:var(--accent)}"
    ".timeline time{margin-inline-end:.5rem;font-weight:600}"
    ".timeline .state{display:inline-block;padding:0 .625rem;border:1px solid var(--line);"
    "border-radius:1rem;font-size:.8125rem;line-height:1.5rem}"
    ".timeline .today .state{background:var(--accent);border-color:var(--accent);color:var(--paper)}"
    ".timeline p{margin:.125rem 0 0}"
)
"""How it looks; the frame that it stands in names the colours `--accent`, `--paper`, `--line` and `--halo`."""


class State(StrEnum):
    """Where a milestone lies, seen from today."""

    PAST = "past"
    TODAY = "today"
    TO_COME = "to-come"


@dataclass(frozen=True, slots=True)
class _Entry:
    """`meaning` is text in `language`; there is none in the entry of a today that is no milestone."""

    instant: datetime
    state: State
    meaning: str = ""
    language: str = ""


class Timeline:
    """The timeline of one site for the readers of one language.

    `language` is what it is really written in: English where there are no texts in the readers' language.
    """

    def __init__(self, site: Site, language: str) -> None:
        self._site = site
        self.texts = timeline_texts_for(language)
        self.language = language if primary_subtag(language) == self.texts.language else self.texts.language
        self._readers = language
        self._dates = Dates(self.language, site.timezone)

    def section(self, now: datetime) -> str:
        """The timeline on the day of `now`, as HTML with a heading; empty where there is nothing to show."""
        entries = "".join(self._item(entry, now) for entry in self._entries(now))
        if not entries:
            return ""
        heading = escape(self.texts.heading)
        attributes = spoken(self.language, self._readers)
        return (
            f'<section aria-labelledby="timeline"{attributes}>\n<h2 id="timeline">{heading}</h2>\n'
            f'<ol class="timeline">\n{entries}</ol>\n</section>\n'
        )

    def _entries(self, now: datetime) -> Iterator[_Entry]:
        milestones = sorted(self._site.schedule.milestones.items(), key=lambda milestone: milestone[1])
        previous: State | None = None
        for name, instant in milestones:
            meaning, language = self._meaning(name)
            if not meaning:
                continue
            state = self._state(instant, now)
            if previous is State.PAST and state is State.TO_COME:
                yield _Entry(self._midnight(now), State.TODAY)
            previous = state
            yield _Entry(instant, state, self._dates.filled(meaning, self._site.schedule.milestones), language)

    def _midnight(self, now: datetime) -> datetime:
        timezone = self._site.timezone
        return datetime.combine(now.astimezone(timezone).date(), time(), timezone)

    def _state(self, instant: datetime, now: datetime) -> State:
        day, today = (one.astimezone(self._site.timezone).date() for one in (instant, now))
        if day == today:
            return State.TODAY
        return State.PAST if day < today else State.TO_COME

    def _meaning(self, milestone: str) -> tuple[str, str]:
        """What it means, and the language of that: the site's words in the readers' language, ours, the site's."""
        own = self._site.notice.timeline.get(milestone, {}) if self._site.notice is not None else {}
        if (language := lookup(self._readers, own)) is not None:
            return own[language], language
        texts = self.texts
        standard = {
            NOTICE: texts.announced,
            CUTOVER: texts.closes if self._site.moves_to is None else texts.moves,
            END: texts.ends,
        }
        if milestone in standard:
            return standard[milestone], self.language
        language = lookup(self._site.language, own) or next(iter(own), "")
        return own.get(language, ""), language

    def _item(self, entry: _Entry, now: datetime) -> str:
        local = entry.instant.astimezone(self._site.timezone)
        match entry.state:
            case State.PAST:
                state, attributes = self.texts.past, ""
            case State.TODAY:
                state, attributes = self.texts.today, ' aria-current="date"'
            case State.TO_COME:
                left = self._dates.left(now, entry.instant) or self.texts.to_come
                state, attributes = left[0].upper() + left[1:], ""
            case _:
                assert_never(entry.state)
        machine = local.isoformat(timespec="seconds") if entry.meaning else local.date().isoformat()
        meaning = ""
        if entry.meaning:
            meaning = f"\n<p{spoken(entry.language, self.language)}>{escape(entry.meaning)}</p>"
        day = f'<time datetime="{machine}">{escape(self._dates.date(entry.instant))}</time>'
        return f'<li class="{entry.state}"{attributes}>{day} <span class="state">{escape(state)}</span>{meaning}</li>\n'


def spoken(language: str, inside: str) -> str:
    """The attributes that say so where a part is in another language than what it stands in."""
    if primary_subtag(language) == primary_subtag(inside):
        return ""
    return f' lang="{escape(language)}" dir="{"rtl" if is_right_to_left(language) else "ltr"}"'
