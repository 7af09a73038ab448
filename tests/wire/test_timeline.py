"""The timeline: what was, what is today, and what comes, by the clocks of the site."""

import re
import string
from dataclasses import fields
from datetime import UTC, datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from proxy.core.model import Site
from proxy.core.schedule import Schedule
from proxy.wire.banner_texts import LANGUAGES as BANNER_LANGUAGES
from proxy.wire.timeline import Timeline
from proxy.wire.timeline_texts import LANGUAGES, timeline_texts_for
from tests.edge.sites import notice, site

JAKARTA = ZoneInfo("Asia/Jakarta")
MILESTONES = {
    "cutover": datetime(2024, 12, 30, 17, tzinfo=UTC),
    "notice": datetime(2024, 10, 8, 17, tzinfo=UTC),
    "shop-closed": datetime(2024, 10, 20, 17, tzinfo=UTC),
    "end": datetime(2027, 12, 31, 5, 30, tzinfo=UTC),
}
MEANINGS = {"shop-closed": {"en": "Shopping closes <b>.", "fr": "La boutique ferme."}}
ITEM = re.compile(
    r'<li class="([a-z-]+)"( aria-current="date")?><time datetime="([^"]+)">(.*?)</time> '
    r'<span class="state">(.*?)</span>(?:\n<p( lang="[^>]*)?>(.*?)</p>)?</li>'
)


def closing(meanings: Any = MEANINGS, **keys: Any) -> Site:
    own: dict[str, Any] = {"timezone": JAKARTA, "schedule": Schedule(MILESTONES), "notice": notice(timeline=meanings)}
    return site(**own | keys)


def items(shown: Site, now: str, language: str = "en") -> list[tuple[str, ...]]:
    """State, datetime, day, state in words, and meaning."""
    section = Timeline(shown, language).section(datetime.fromisoformat(now))
    found = ITEM.findall(section)
    assert section.count("<li") == len(found)
    assert [bool(current) for _, current, *_ in found] == [state == "today" for state, *_ in found]
    return [
        (state, machine, day, unescape(words), unescape(meaning)) for state, _, machine, day, words, _, meaning in found
    ]


def test_milestones_are_in_order_with_day_state_and_meaning() -> None:
    assert items(closing(), "2024-11-20T10:00Z") == [
        ("past", "2024-10-09T00:00:00+07:00", "October 9, 2024", "Past", "The move is announced."),
        ("past", "2024-10-21T00:00:00+07:00", "October 21, 2024", "Past", "Shopping closes <b>."),
        ("today", "2024-11-20", "November 20, 2024", "Today", ""),
        (
            "to-come",
            "2024-12-31T00:00:00+07:00",
            "December 31, 2024",
            "In 6 weeks",
            "This site closes. From then on, its addresses lead to the new site.",
        ),
        (
            "to-come",
            "2027-12-31T12:30:00+07:00",
            "December 31, 2027, 12:30\u202fPM GMT+07:00",
            "In 3 years",
            "The addresses of this site stop working.",
        ),
    ]


@pytest.mark.parametrize(
    ("now", "states"),
    [
        ("2024-10-08T16:59:59Z", "to-come to-come to-come to-come"),
        ("2024-10-08T17:00:00Z", "today to-come to-come to-come"),
        ("2024-10-09T16:59:59Z", "today to-come to-come to-come"),
        ("2024-10-09T17:00:00Z", "past today to-come to-come to-come"),
        ("2024-10-21T00:00:00Z", "past today to-come to-come"),
        ("2024-12-30T16:59:59Z", "past past today to-come to-come"),
        ("2024-12-30T17:00:00Z", "past past today to-come"),
        ("2027-12-31T00:00:00Z", "past past past today"),
        ("2028-01-01T00:00:00Z", "past past past past"),
    ],
)
def test_a_state_is_by_the_calendar_of_the_site(now: str, states: str) -> None:
    assert " ".join(item[0] for item in items(closing(), now)) == states


@pytest.mark.parametrize(
    ("language", "now", "words"),
    [
        ("en-GB", "2024-12-29T17:00Z", ["Past", "Past", "Today", "Tomorrow", "In 3 years"]),
        ("fr", "2024-12-21T17:00Z", ["Passé", "Passé", "Aujourd\u2019hui", "Dans 9 jours", "Dans 3 ans"]),
        ("id", "2024-12-29T17:00Z", ["Sudah lewat", "Sudah lewat", "Hari ini", "Besok", "Dalam 3 tahun"]),
        ("ja", "2024-12-29T17:00Z", ["終了", "終了", "今日", "明日", "3 年後"]),
    ],
)
def test_the_state_is_said_in_words(language: str, now: str, words: list[str]) -> None:
    assert [item[3] for item in items(closing(), now, language)] == words


@pytest.mark.parametrize(
    ("language", "meanings", "shown"),
    [
        ("fr", {"en": "Closed.", "fr": "Fermé."}, ("", "Fermé.")),
        ("fr-CA", {"en": "Closed.", "fr": "Fermé."}, ("", "Fermé.")),
        ("id", {"en": "Closed.", "fr": "Fermé."}, (' lang="en" dir="ltr"', "Closed.")),
        ("id", {"fr": "Fermé.", "ar": "مغلق."}, (' lang="fr" dir="ltr"', "Fermé.")),
        ("sv", {"fr": "Fermé.", "sv": "Stängt."}, (' lang="sv" dir="ltr"', "Stängt.")),
        ("ar", {"en": "Closed.", "ar": "مغلق."}, ("", "مغلق.")),
        ("en", {"ar": "مغلق."}, (' lang="ar" dir="rtl"', "مغلق.")),
        ("en", {"en": "Closed, as of {shop-closed}."}, ("", "Closed, as of October 21, 2024.")),
    ],
)
def test_a_meaning_is_in_the_readers_language_or_says_in_which(
    language: str, meanings: dict[str, str], shown: tuple[str, str]
) -> None:
    section = Timeline(closing({"shop-closed": meanings}), language).section(datetime(2024, 11, 20, tzinfo=UTC))
    assert [(item[5], item[6]) for item in ITEM.findall(section)][1] == shown


def test_a_milestone_without_a_meaning_is_left_out() -> None:
    assert len(items(closing({}), "2024-11-20T10:00Z")) == 4
    assert Timeline(site(schedule=Schedule({"x": MILESTONES["end"]})), "en").section(MILESTONES["notice"]) == ""


def test_the_sites_own_words_go_before_ours_in_their_language() -> None:
    shown = closing({"cutover": {"en": "Lights out."}}, moves_to=None)
    assert items(shown, "2024-11-20T10:00Z", "en-GB")[2][4] == "Lights out."
    assert items(shown, "2024-11-20T10:00Z", "fr")[2][4] == "Ce site ferme."


def test_a_site_that_moves_nowhere_does_not_say_that_it_does() -> None:
    assert items(closing(moves_to=None), "2024-11-20T10:00Z")[3][4] == "This site closes."


@pytest.mark.parametrize(
    ("language", "attributes"),
    [("en-GB", ""), ("fr", ""), ("sv", ' lang="en" dir="ltr"'), ("fa", ' lang="en" dir="ltr"')],
)
def test_a_language_without_texts_gets_english_throughout(language: str, attributes: str) -> None:
    section = Timeline(closing(), language).section(MILESTONES["notice"])
    assert section.startswith(f'<section aria-labelledby="timeline"{attributes}>')
    if attributes:
        assert ">October 9, 2024<" in section


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    texts = timeline_texts_for(f"{language}-XX")
    assert texts.language == language
    for field in fields(texts):
        text = getattr(texts, field.name)
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        assert text
        assert names == ({"page", "address"} if field.name in {"will_be", "is_now"} else set())


def test_the_timeline_has_the_languages_of_the_banner() -> None:
    assert set(LANGUAGES) == set(BANNER_LANGUAGES)
