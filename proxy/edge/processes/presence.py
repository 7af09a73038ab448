"""Which places of a generation have a worker that accepts: a few bytes of memory that all of its processes see.

The nursery writes them, the workers read. As each worker has sockets of its own, clients of one that has died would
wait until its place is taken again, and that may be a while after several deaths. So the next worker that is there
stands in, and accepts from the sockets of that place too.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator


class Presence:
    """One byte for each place, in memory that is shared with whoever is forked later."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._there = mmap.mmap(-1, places)

    def note(self, place: int, *, there: bool) -> None:
        """Somebody has come, or is gone."""
        self._there[place] = there

    def left_to(self, place: int) -> Iterator[int]:
        """The empty places for which the worker at `place` is the next that is there."""
        for number in range(1, self._places):
            before = (place - number) % self._places
            if self._there[before]:
                return
            yield before
