"""Dates, times and lengths of time, as rule files write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.rulebook.duration import MAX_SECONDS, parse_duration
from proxy.rulebook.moment import parse_moment, parse_zone, resolve
from proxy.rulebook.refusal import Refusal

ZONES = ["UTC", "Europe/London", "Asia/Jakarta", "America/Sao_Paulo", "Africa/Cairo", "America/Havana", "Asia/Beirut"]


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2024-12-31", "UTC", "2024-12-31T00:00:00"),
        ("2024-12-31", "Europe/London", "2024-12-31T00:00:00"),
        ("2024-10-09", "Europe/London", "2024-10-08T23:00:00"),
        ("2024-12-31", "Asia/Jakarta", "2024-12-30T17:00:00"),
        ("2024-12-31T10:00", "Europe/Paris", "2024-12-31T09:00:00"),
        ("2024-12-31 10:00", "Europe/Paris", "2024-12-31T09:00:00"),
        ("2024-12-31T10:00:30", "Europe/Paris", "2024-12-31T09:00:30"),
        ("2024-12-31T10:00:30.5", "Europe/Paris", "2024-12-31T09:00:30.500000"),
        ("2024-12-31T10:00:30.000001", "UTC", "2024-12-31T10:00:30.000001"),
        ("2024-12-31T10:00Z", "Asia/Jakarta", "2024-12-31T10:00:00"),
        ("2024-12-31T10:00 Z", "Asia/Jakarta", "2024-12-31T10:00:00"),
        ("2024-12-31T10:00+07:00", "UTC", "2024-12-31T03:00:00"),
        ("2024-12-31 10:00:00 -03:30", "UTC", "2024-12-31T13:30:00"),
        ("2024-02-29", "UTC", "2024-02-29T00:00:00"),
        # a day begins with its first instant, also where clocks jump at midnight
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00"),  # 00:00 is skipped, 01:00 is the first
        ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00:00"),
        ("2024-11-03", "America/Havana", "2024-11-03T04:00:00"),  # 00:00 comes twice, the first begins the day
        ("2018-02-18", "America/Sao_Paulo", "2018-02-18T03:00:00"),  # 24:00 became 23:00 of the day before
    ],
)
def test_a_date_or_time_is_an_instant(text: str, zone: str, instant: str) -> None:
    resolved, twice = resolve(parse_moment(text), ZoneInfo(zone))
    assert resolved == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert resolved.tzinfo is UTC
    assert not twice


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2025-03-30T01:00", "Europe/London"),
        ("2025-03-30T01:59:59", "Europe/London"),
        ("2025-03-30T02:30", "Europe/Paris"),
        ("2018-11-04T00:30", "America/Sao_Paulo"),
        ("2011-12-30", "Pacific/Apia"),
        ("2011-12-30T12:00", "Pacific/Apia"),
    ],
)
def test_a_time_that_never_comes_is_refused(text: str, zone: str) -> None:
    with pytest.raises(Refusal) as refused:
        resolve(parse_moment(text), ZoneInfo(zone))
    assert refused.value.code == "time-skipped"


@pytest.mark.parametrize(("text", "hour"), [("2025-10-26T01:00", 0), ("2025-10-26T01:59", 0), ("2025-10-26T02:00", 2)])
def test_of_a_time_that_comes_twice_the_first_is_taken(text: str, hour: int) -> None:
    resolved, twice = resolve(parse_moment(text), ZoneInfo("Europe/London"))
    assert (resolved.hour, twice) == (hour, hour == 0)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "2024",
            "2024-1-1",
            "24-01-01",
            "2024-01-01T",
            "2024-01-01T1:00",
            "2024-01-01T10",
            "2024-01-01T10:00:00.",
        ),
        *("2024-13-01", "2024-00-01", "2023-02-29", "2024-01-32", "2024-01-01T24:00", "2024-01-01T10:60"),
        *("2024-01-01T10:00:61", "2024-01-01T10:00+1", "2024-01-01T10:00+24:00", "2024-01-01T10:00+01:60"),
        *("1969-12-31", "9999-12-31", "٢٠٢٤-01-01", "2024-01-01Z", "2024-01-01T10:00:00.1234567", "2024-01-01\n"),
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_moment(text)
    assert refused.value.code == "bad-date"


@settings(deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_an_instant_shows_the_time_that_was_written(wall: datetime, zone: str) -> None:
    wall = wall.replace(microsecond=0)
    try:
        resolved, _ = resolve(parse_moment(wall.isoformat()), ZoneInfo(zone))
    except Refusal:
        assert (
            wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall
        )
    else:
        assert resolved.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == wall


@settings(deadline=None)
@given(st.dates(datetime(1971, 1, 1).date(), datetime(2037, 1, 1).date()), st.sampled_from(ZONES))  # noqa: DTZ001
def test_a_day_begins_when_the_day_before_ends(day: object, zone: str) -> None:
    resolved, _ = resolve(parse_moment(str(day)), ZoneInfo(zone))
    here, before = (instant.astimezone(ZoneInfo(zone)) for instant in (resolved, resolved - timedelta(seconds=1)))
    assert here.date() == day
    assert before.date() < here.date()


@pytest.mark.parametrize(
    "name", ["", "Europe", "europe/londn", "+01:00", "../../etc/passwd", "/etc/passwd", "GMT+1", "x\0"]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_zone(name)
    assert refused.value.code == "unknown-timezone"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(0, 0), (3600, 3600), ("90s", 90), ("30m", 1800), ("12h", 43_200), ("30d", 2_592_000), ("1w", 604_800)],
)
def test_a_length_of_time_is_seconds_or_has_a_unit(written: object, seconds: int) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written", [-1, True, 1.5, None, [], "", "1", "1 d", "1D", "1y", "1.5h", "-1s", "1d12h", MAX_SECONDS + 1]
)
def test_what_is_no_length_of_time_is_refused(written: object) -> None:
    with pytest.raises(Refusal):
        parse_duration(written)
