"""What the server says on standard error: one line an event, and no more lines than somebody can read.

Whoever sends malformed requests must not be able to fill a disk, so such lines are sampled, and none holds bytes that a
client sent.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("sunset")


def log_to_stderr(level: int = logging.INFO) -> None:
    """Let the lines of the server go to standard error. Whoever has set up logging already need not call it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False


class Sampled:
    """Lets through one line of each kind per `every` seconds, and counts those that it holds back.

    A kind is fixed text: there are never more of them than places in the code that name one.
    """

    def __init__(self, steady: Callable[[], float], every: float) -> None:
        self._steady = steady
        self._every = every
        self._last: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def warning(self, kind: str, detail: str = "", *, error: BaseException | None = None) -> None:
        """Log `kind` with `detail`; `error` adds its traceback and is for faults of our own."""
        now = self._steady()
        if now - self._last.get(kind, float("-inf")) < self._every:
            self._held_back[kind] = self._held_back.get(kind, 0) + 1
            return
        self._last[kind] = now
        more = self._held_back.pop(kind, 0)
        text = " ".join(part for part in (kind, detail, f"(and {more} more like it)" if more else "") if part)
        log.warning("%s", text, exc_info=error)
