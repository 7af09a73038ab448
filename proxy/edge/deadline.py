"""A deadline that is set at every step and hardly ever reached.

To set it is to write a number down. One timer runs for as long as the deadline stands or is set again, looks at the
number when it fires, and goes on where that has moved: a connection takes a timer a minute, and not one a request.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Deadline:
    """Calls `expired` once it is passed; then, as in the beginning, there is none until it is set."""

    __slots__ = ("_at", "_expired", "_fires", "_loop", "_timer")

    def __init__(self, expired: Callable[[], None]) -> None:
        self._expired = expired
        self._loop = asyncio.get_running_loop()
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fires = 0.0

    def set(self, seconds: float) -> None:
        """So many seconds from now, wherever it was before."""
        self._at = at = self._loop.time() + seconds
        if self._timer is None or at < self._fires:
            self._run_timer(at)

    def clear(self) -> None:
        """There is none; the timer may run on until it finds that out."""
        self._at = None

    def cancel(self) -> None:
        """There is none, and none will be set again."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._run_timer(self._at)
        else:
            self._at = None
            self._expired()
