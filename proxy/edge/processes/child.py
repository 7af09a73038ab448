"""A forked process, from both sides.

The child begins as a copy of its parent, so it first gives back what is the parent's alone: signal handlers, and the
descriptor that they write to. Signals wait meanwhile: one that came too early would wake the parent. When its work is
done it ends there and then; nothing of the parent's stack is unwound in it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED = 70
"""The exit code of a child in which a fault of our own came to the surface (EX_SOFTWARE)."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
_UNHEEDED = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""A terminal sends the first two to every process at once; only the supervisor heeds them. The third is for workers."""

_PR_SET_CHILD_SUBREAPER = 36

log = logging.getLogger("sunset")


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was forked, as its parent sees it. `born` is a time of the steady clock."""

    pid: int
    born: float

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended already does not mind."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def lives(self) -> bool:
        """Whether there is such a process: for children of others, which nobody here is told of where not on Linux."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, PermissionError):  # the second: its number is somebody else's by now
            return False
        return True


def fork(role: str, work: Callable[[], int], now: float) -> Child:
    """Start a process that does `work` and exits with the code it gives. `role` is what the log calls it."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        pid = os.fork()
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return Child(pid, now)
    code = FAILED
    try:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN if number in _UNHEEDED else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        code = work()
    except BaseException:  # whatever it is, it ends here: above is the parent's stack
        log.exception("%s failed", role)
    finally:
        logging.shutdown()
        os._exit(code)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent dies, so that `reap` finds them as well. Only Linux has it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap() -> list[tuple[int, int]]:
    """The children that have ended, each once, with their exit codes: minus the signal where one ended it."""
    ended = []
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            ended.append((pid, os.waitstatus_to_exitcode(status)))
    return ended


def told(code: int) -> str:
    """How a process ended, for the log."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
