"""The table that holds now.

Between two milestones nothing changes with time, so requests only read an attribute. A timer swaps the table when its
time is over: it is set for the very instant, but never for more than a second ahead, so that a machine whose clock is
set forward notices. The next table is compiled ahead of time; the swap itself is one assignment.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from proxy.edge.outline import Outline

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from proxy.core.rulebook import Rulebook
    from proxy.core.table import Table
    from proxy.edge.clock import Clock

LOOK_EVERY = 1.0
"""Seconds after which the clock is looked at again, at the latest."""

log = logging.getLogger("sunset")


class LiveTable:
    """Holds `table`, and keeps it right once `start` was called.

    `swapped` is called with each new table, also with the first. `look_every` is in seconds.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        clock: Clock,
        *,
        preview_suffix: str = "",
        swapped: Callable[[Table], None] | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self.rulebook = rulebook
        self.outline = Outline.of(rulebook)
        self.clock = clock
        self._preview_suffix = preview_suffix
        self._swapped = swapped
        self._look_every = look_every
        self._next: Table | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.table = self._compile(clock.now())

    def start(self) -> None:
        """Begin to watch the clock. Needs a running loop."""
        if self._swapped is not None:
            self._swapped(self.table)
        self._look()

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def refresh(self) -> None:
        """Look at the clock now: for whoever has just moved it."""
        self.stop()
        self._look()

    def _look(self) -> None:
        now = self.clock.now()
        if not _holds(self.table, now):
            ahead = self._next
            self._next = None
            self.table = ahead if ahead is not None and _holds(ahead, now) else self._compile(now)
            log.info("rules as of %s hold since %s", self.table.since, now.isoformat(timespec="milliseconds"))
            if self._swapped is not None:
                self._swapped(self.table)
        until = self.table.until
        if until is None:
            return
        if self._next is None:
            self._next = self._compile(until)
        remaining = (until - self.clock.now()) / timedelta(seconds=1)
        self._timer = asyncio.get_running_loop().call_later(max(0.0, min(remaining, self._look_every)), self._look)

    def _compile(self, instant: datetime) -> Table:
        return self.rulebook.at(instant, preview_suffix=self._preview_suffix)


def _holds(table: Table, instant: datetime) -> bool:
    return (table.since is None or table.since <= instant) and (table.until is None or instant < table.until)
