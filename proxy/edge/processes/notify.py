"""What systemd is told (sd_notify(3), systemd.service(5)): a few lines on a datagram socket, so no library is needed.

Nothing is said where nobody asked for it. The variables that ask are taken out of the environment: they are for this
process, and not for those that it starts.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

ADDRESS = "NOTIFY_SOCKET"
WATCHDOG = "WATCHDOG_USEC"
WATCHED = "WATCHDOG_PID"

_MILLION = 1_000_000


class Notifier:
    """Tells the service manager that has started this process. `steady` is the clock that it counts by as well."""

    def __init__(self, environment: MutableMapping[str, str], steady: Callable[[], float]) -> None:
        address = environment.pop(ADDRESS, "")
        interval, watched = environment.pop(WATCHDOG, ""), environment.pop(WATCHED, "")
        self._steady = steady
        self._socket: socket.socket | None = None
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every: float | None = None
        if address.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            if interval.isdigit() and int(interval) and watched in {"", str(os.getpid())}:
                self._every = int(interval) / 2 / _MILLION
        self.due: float | None = None if self._every is None else steady()
        """When the watchdog is to hear of us next, on the steady clock; None where there is none."""

    def ready(self, status: str) -> None:
        """The server serves, after a start or a reload."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", f"STATUS={status}")

    def reloading(self) -> None:
        """A reload has begun. The time lets systemd tell it from one that it did not ask for."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(self._steady() * _MILLION)}", "STATUS=loading rules")

    def stopping(self) -> None:
        """The server stops."""
        self._tell("STOPPING=1", "STATUS=finishing what is under way")

    def live(self) -> None:
        """Call it often: it tells the watchdog in time, and no more often than that."""
        if self.due is not None and self._every is not None and self._steady() >= self.due:
            self.due = self._steady() + self._every
            self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Tell nothing more."""
        if self._socket is not None:
            self._socket.close()

    def _tell(self, *lines: str) -> None:
        """Whether anybody hears it changes nothing."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)
