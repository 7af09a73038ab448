"""Values that follow each other: which of them may still be seen some time after a new one was given out."""

from __future__ import annotations

from collections.abc import Hashable
from time import monotonic
from typing import Final, Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)

RULES_GRACE: Final = 15.0
"""Seconds: for a change to be noticed and loaded on a busy machine, and for a last request by the rules before."""
CERTIFICATE_GRACE: Final = 30.0
"""Seconds: files of certificates are looked at every ten, and a connection keeps what it was shown."""


class Succession(Generic[Value]):
    """The values, and until when each may be seen."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._until: dict[Value, float] = {}
        self._newest: Value | None = None
        self.seen: set[Value] = set()

    @property
    def counted(self) -> tuple[int, int]:
        """How many there were, and how many of them were seen."""
        return len(self._until), len(self.seen & self._until.keys())

    def follow(self, value: Value) -> None:
        """There is a new one."""
        if self._newest is not None:
            self._until[self._newest] = monotonic() + self._grace
        self._newest = value
        self._until[value] = float("inf")

    def allows(self, value: Value) -> bool:
        """Whether a value may be seen now."""
        self.seen.add(value)
        return monotonic() < self._until.get(value, 0.0)
