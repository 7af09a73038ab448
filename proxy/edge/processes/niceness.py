"""Work beside processes that are busy with clients.

Linux counts niceness by the thread, and only root takes it back: so a thread is nice, and has ended before this process
goes on, or forks. Elsewhere the work is done like any other.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Done = TypeVar("Done")


def gently(niceness: int, work: Callable[[], Done]) -> Done:
    """What `work` gives, and raises, done so much more nicely than the rest of this process."""
    done: list[Done] = []
    failed: list[BaseException] = []

    def do() -> None:
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failed.append(error)

    thread = threading.Thread(target=do, name="gently")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]
