"""Dates and the time that is left, as readers of a site write and count them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire.dates import Dates

LONDON, PARIS, JAKARTA = ZoneInfo("Europe/London"), ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Jakarta")
MIDNIGHT_IN_JAKARTA = datetime(2024, 12, 30, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "December 31, 2024"),
        ("en-GB", "31 December 2024"),
        ("fr", "31 décembre 2024"),
        ("fr-FR", "31 décembre 2024"),
        ("id", "31 Desember 2024"),
        ("de-CH-1996", "31. Dezember 2024"),
        ("es", "31 de diciembre de 2024"),
        ("ar", "31 ديسمبر 2024"),
        ("ja", "2024年12月31日"),
        ("zh-Hant-TW", "2024年12月31日"),
        ("EN_gb", "31 December 2024"),
    ],
)
def test_a_date_is_written_as_its_language_writes_it(language: str, shown: str) -> None:
    assert Dates(language, JAKARTA).date(MIDNIGHT_IN_JAKARTA) == shown


@pytest.mark.parametrize(
    ("language", "known"),
    [
        ("fr-QQ", "fr"),
        ("fr-x-private", "fr"),
        ("en-GB-u-ca-buddhist", "en"),
        ("tlh", "en"),
        ("tlh-Latn-GB", "en"),
        ("", "en"),
        ("-", "en"),
    ],
)
def test_an_unknown_language_is_looked_up_by_its_known_beginning_and_is_english_else(language: str, known: str) -> None:
    assert Dates(language, UTC).language == known


@pytest.mark.parametrize(
    ("language", "zone", "instant", "shown"),
    [
        ("en-GB", LONDON, datetime(2024, 12, 31, tzinfo=UTC), "31 December 2024"),
        ("en-GB", LONDON, datetime(2024, 12, 31, 17, tzinfo=UTC), "31 December 2024, 17:00 GMT"),
        ("en-GB", LONDON, datetime(2024, 6, 30, 23, tzinfo=UTC), "1 July 2024"),
        ("en", UTC, datetime(2024, 12, 31, 17, tzinfo=UTC), "December 31, 2024, 5:00\u202fPM UTC"),
        ("fr", PARIS, datetime(2024, 12, 31, tzinfo=UTC), "31 décembre 2024, 01:00 UTC+01:00"),
        ("id", JAKARTA, datetime(2024, 12, 31, tzinfo=UTC), "31 Desember 2024 07.00 WIB"),
    ],
)
def test_a_time_stands_only_where_it_is_not_midnight(
    language: str, zone: ZoneInfo, instant: datetime, shown: str
) -> None:
    assert Dates(language, zone).date(instant) == shown


def test_a_day_without_midnight_begins_at_its_first_instant() -> None:
    sao_paulo = Dates("pt-BR", ZoneInfo("America/Sao_Paulo"))
    first = datetime(2018, 11, 4, 3, tzinfo=UTC)  # clocks went from 00:00 to 01:00
    assert sao_paulo.date(first) == "4 de novembro de 2018"
    assert sao_paulo.next_day(first - timedelta(hours=5)) == first


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (0, "today"),
        (1, "tomorrow"),
        (2, "in 2 days"),
        (20, "in 20 days"),
        (21, "in 3 weeks"),
        (62, "in 9 weeks"),
        (63, "in 2 months"),
        (365, "in 12 months"),
        (800, "in 2 years"),
    ],
)
def test_time_left_is_counted_in_days_then_weeks_months_and_years(days: int, shown: str) -> None:
    until = datetime(2024, 12, 31, 12, tzinfo=UTC)
    assert Dates("en", UTC).left(until - timedelta(days=days, minutes=1), until) == shown


@pytest.mark.parametrize(
    ("language", "tomorrow", "three_weeks"),
    [
        ("fr", "demain", "dans 3 semaines"),
        ("id", "besok", "dalam 3 minggu"),
        ("de", "morgen", "in 3 Wochen"),
        ("es", "mañana", "dentro de 3 semanas"),
        ("ar", "غدًا", "خلال 3 أسابيع"),
        ("cs", "za 1 den", "za 3 týdny"),
        ("ckb", None, None),  # CLDR has no words for it
    ],
)
def test_time_left_is_in_the_language(language: str, tomorrow: str | None, three_weeks: str | None) -> None:
    until = datetime(2024, 12, 31, tzinfo=UTC)
    dates = Dates(language, UTC)
    assert dates.left(until - timedelta(days=1), until) == tomorrow
    assert dates.left(until - timedelta(weeks=3), until) == three_weeks


def test_the_eve_is_tomorrow_at_any_hour_of_the_sites_own_clock() -> None:
    dates = Dates("en", JAKARTA)
    assert dates.left(MIDNIGHT_IN_JAKARTA - timedelta(hours=24), MIDNIGHT_IN_JAKARTA) == "tomorrow"
    assert dates.left(MIDNIGHT_IN_JAKARTA - timedelta(seconds=1), MIDNIGHT_IN_JAKARTA) == "tomorrow"
    assert dates.left(MIDNIGHT_IN_JAKARTA - timedelta(hours=25), MIDNIGHT_IN_JAKARTA) == "in 2 days"


def test_nothing_is_left_at_the_milestone_and_after() -> None:
    until = datetime(2024, 12, 31, tzinfo=UTC)
    assert Dates("en", UTC).left(until, until) is None
    assert Dates("en", UTC).left(until + timedelta(days=1), until) is None


def test_milestones_are_filled_in_and_other_braces_stay() -> None:
    text = "until {cutover} ({shop-closed}), {nobody} {} { cutover } {cutover"
    milestones = {"cutover": MIDNIGHT_IN_JAKARTA, "shop-closed": MIDNIGHT_IN_JAKARTA - timedelta(days=71)}
    filled = "until 31 Desember 2024 (21 Oktober 2024), {nobody} {} { cutover } {cutover"
    assert Dates("id", JAKARTA).filled(text, milestones) == filled


@pytest.mark.parametrize("language", ["ar", "fa", "he", "ur", "az-Arab", "yi"])
def test_languages_are_written_from_right_to_left(language: str) -> None:
    assert Dates(language, UTC).direction == "rtl"


@pytest.mark.parametrize("language", ["en", "az", "ja", "tlh"])
def test_languages_are_written_from_left_to_right(language: str) -> None:
    assert Dates(language, UTC).direction == "ltr"


@settings(deadline=None)
@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - the zone is drawn beside it
    st.sampled_from(["Europe/London", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]),
)
def test_what_is_made_for_a_day_holds_until_the_next_begins(wall: datetime, zone: str) -> None:
    dates = Dates("en", ZoneInfo(zone))
    now = wall.replace(tzinfo=UTC)
    until = dates.next_day(now)
    assert now < until <= now + timedelta(hours=26)
    last = max(now, until - timedelta(seconds=1))
    far = now + timedelta(days=9)
    assert dates.left(now, far) == dates.left(last, far)
