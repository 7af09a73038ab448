"""The one clock, by clocks that a test can set."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from proxy.edge.clock import Clock

START = datetime(2024, 12, 31, 0, 0, 0, 250_000, tzinfo=UTC)


class Hand:
    """A clock that stands still until it is set."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def test_it_shows_the_time_of_the_machine() -> None:
    assert Clock(wall=Hand(START.timestamp())).now() == START


def test_a_machine_whose_clock_is_set_back_does_not_take_it_back() -> None:
    wall = Hand(START.timestamp())
    clock = Clock(wall=wall)
    assert clock.now() == START
    wall.at -= 3600
    assert clock.now() == START
    wall.at += 3601
    assert clock.now() == START + timedelta(seconds=1)


def test_a_machine_whose_clock_is_set_forward_takes_it_along() -> None:
    wall = Hand(START.timestamp())
    clock = Clock(wall=wall)
    clock.now()
    wall.at += 86_400
    assert clock.now() == START + timedelta(days=1)


def test_a_rehearsal_starts_where_it_is_told_and_runs_on_by_the_steady_clock() -> None:
    steady = Hand(17.0)
    clock = Clock(START, wall=Hand(0.0), steady=steady)
    assert clock.is_rehearsal
    assert clock.now() == START
    steady.at += 2.5
    assert clock.now() == START + timedelta(seconds=2.5)


def test_a_rehearsal_can_be_moved_both_ways() -> None:
    clock = Clock(START, steady=Hand(0.0))
    clock.move_to(START - timedelta(days=100))
    assert clock.now() == START - timedelta(days=100)
    clock.move_to(START + timedelta(days=100))
    assert clock.now() == START + timedelta(days=100)


def test_an_instant_needs_an_offset_and_may_have_any() -> None:
    with pytest.raises(ValueError, match="offset"):
        Clock(datetime(2024, 12, 31))  # noqa: DTZ001 - that is what is refused
    jakarta = timezone(timedelta(hours=7))
    assert Clock(datetime(2024, 12, 31, 7, tzinfo=jakarta), steady=Hand(0.0)).now() == datetime(
        2024, 12, 31, tzinfo=UTC
    )


def test_the_date_is_written_as_http_has_it_and_anew_each_second() -> None:
    steady = Hand(0.0)
    clock = Clock(START, steady=steady)
    assert clock.date() == b"Tue, 31 Dec 2024 00:00:00 GMT"
    steady.at = 0.7
    assert clock.date() is clock.date()
    steady.at = 0.75
    assert clock.date() == b"Tue, 31 Dec 2024 00:00:01 GMT"


def test_the_machines_own_clock_is_the_default() -> None:
    before = datetime.now(UTC)  # noqa: TID251 - the one test of the one clock
    assert before <= Clock().now() <= datetime.now(UTC)  # noqa: TID251
