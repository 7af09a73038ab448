"""When a process that has died is started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.edge.configuration.settings import Processes


class Backoff:
    """At once the first time, then after pauses that double; from the beginning again once one has lived a while."""

    def __init__(self, settings: Processes) -> None:
        self._settings = settings
        self._pause = 0.0

    def pause(self, lived: float) -> float:
        """Seconds to wait, after one has died that `lived` for so many."""
        settings = self._settings
        if lived >= settings.settled:
            self._pause = 0.0
        pause = self._pause
        self._pause = min(max(pause * 2, settings.restart_pause), settings.longest_restart_pause)
        return pause
