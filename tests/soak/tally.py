"""What became of all requests, and what was done to the server meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

ENOUGH: Final = 100
"""Failures that are told one by one; the others are only counted."""


@dataclass
class Tally:
    """Counts since `began`."""

    began: float = field(default_factory=monotonic)
    good: Counter[str] = field(default_factory=Counter)
    """Right answers to good clients, by visit."""
    retried: Counter[str] = field(default_factory=Counter)
    """Asked once more, because a worker was killed meanwhile."""
    nuisances: Counter[str] = field(default_factory=Counter)
    """What became of bad and slow clients."""
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    """Seconds that each good answer took."""
    events: list[tuple[float, str]] = field(default_factory=list)
    """What was done to the server, and when."""

    def now(self) -> float:
        """Seconds since the beginning."""
        return monotonic() - self.began

    def happened(self, event: str) -> None:
        self.events.append((self.now(), event))

    def since(self, moment: float, event: str) -> bool:
        """Whether it has happened since then."""
        return any(what == event and second >= moment for second, what in reversed(self.events))

    def fail(self, what: str) -> None:
        self.failed += 1
        if len(self.failures) < ENOUGH:
            self.failures.append(f"at {self.now():.1f} s: {what}")
