"""The one module that asks the machine what time it is.

A running server must not come back from a cutover because somebody, or NTP, set the machine's clock back: `Clock.now`
never returns less than it has returned before. A clock that was started at another time than now, for a rehearsal, runs
on from there by the machine's steady clock, which nobody sets.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Tells the time. `wall` gives seconds since 1970 and may be set, `steady` seconds that only ever go on."""

    __slots__ = ("_date", "_latest", "_rehearsal", "_wall", "steady")

    def __init__(
        self,
        start: datetime | None = None,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self.steady = steady
        """Seconds since some time, for what lasts: they only ever go on."""
        self._latest = float("-inf")
        self._date = (0, b"")
        self._rehearsal: tuple[float, float] | None = None
        if start is not None:
            self.move_to(start)

    @property
    def is_rehearsal(self) -> bool:
        """Whether it shows another time than the machine does."""
        return self._rehearsal is not None

    def move_to(self, instant: datetime) -> None:
        """Show `instant` (aware) from now on, and run on from there: a rehearsal may go back as well.

        Raises `ValueError` for a datetime without offset.
        """
        if instant.tzinfo is None:
            raise ValueError("an instant needs an offset")
        start = instant.timestamp()
        self._rehearsal = (start, self.steady())
        self._latest = start

    def timestamp(self) -> float:
        """Seconds since 1970."""
        if self._rehearsal is None:
            seconds = self._wall()
        else:
            start, began = self._rehearsal
            seconds = start + (self.steady() - began)
        self._latest = max(self._latest, seconds)
        return self._latest

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def date(self) -> bytes:
        """The value of a Date header (RFC 9110 section 6.6.1), written anew once a second."""
        second = int(self.timestamp())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True).encode())
        return self._date[1]
