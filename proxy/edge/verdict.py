"""What became of a reload: the new rules are used, nothing had changed, or the last good ones stay and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from proxy.errors import Problem


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a reload ended. `generation` names the rules that are in use after it."""

    ok: bool
    generation: str
    at: datetime
    seconds: float
    """How long it took."""
    changed: bool = False
    message: str = ""
    """In a few words; where the rules themselves are wrong, `problems` has all of it."""
    problems: tuple[Problem, ...] = ()
    """Errors, and warnings too."""
