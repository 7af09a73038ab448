"""Waiting for signals and for descriptors, in a process that forks: no event loop and no threads, which a child would
inherit half of.

Python's own wake-up descriptor turns a signal into a byte, so that both kinds of event are waited for in one place, and
nothing runs in the middle of something else.
"""

from __future__ import annotations

import os
import selectors
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType
    from typing import Self


class Waiting:
    """From `with` on, the given signals only make `wait` return them; `watch` adds descriptors, with what to call."""

    def __init__(self, *signals: signal.Signals) -> None:
        self._signals = signals
        self._selector = selectors.DefaultSelector()
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)

    def watch(self, descriptor: int, readable: Callable[[], None], writable: Callable[[], None] | None = None) -> None:
        """Call `readable` whenever there is something to read or the other side is gone, `writable` if given too."""
        events = selectors.EVENT_READ | (0 if writable is None else selectors.EVENT_WRITE)
        calls = (readable, writable)
        if descriptor in self._selector.get_map():
            self._selector.modify(descriptor, events, calls)
        else:
            self._selector.register(descriptor, events, calls)

    def forget(self, descriptor: int) -> None:
        """Watch it no more; call it before the descriptor is closed."""
        with suppress(KeyError):
            self._selector.unregister(descriptor)

    def wait(self, seconds: float | None = None) -> list[int]:
        """Wait until something happens, or for `seconds`. Calls what is watched, and gives the signals that came."""
        came: list[int] = []
        for key, events in self._selector.select(seconds):
            if key.fd == self._reader:
                with suppress(BlockingIOError):
                    came += os.read(self._reader, 4096)
                continue
            readable, writable = key.data
            if writable is not None and events & selectors.EVENT_WRITE:
                writable()
            if events & selectors.EVENT_READ and key.fd in self._selector.get_map():
                readable()
        return came

    def abandon(self) -> None:
        """In a child that was forked: let go of what belongs to the parent."""
        self._selector.close()
        os.close(self._reader)
        os.close(self._writer)

    def __enter__(self) -> Self:
        self._selector.register(self._reader, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._signals:
            signal.signal(number, _noted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        self.abandon()


def pause_until(times: Iterable[float | None], now: float) -> float:
    """Seconds until the first of some times, never more than one: the clock is to be looked at all along."""
    return min(max(0.0, time - now) for time in (*times, now + 1.0) if time is not None)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """A signal needs a handler of Python's for its byte to be written."""
