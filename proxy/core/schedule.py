"""Time as rule files know it: milestones, windows and the phases of a site.

Every instant is an aware `datetime` in UTC, every stretch of time is half-open: `[since, until)`. So at any instant a
site is in exactly one phase, and the instant of the cutover already belongs to the redirect.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOTICE = "notice"
CUTOVER = "cutover"
END = "end"
PHASE_MILESTONES = (NOTICE, CUTOVER, END)
"""The milestones that begin a phase, in the order in which they must come."""


class Phase(StrEnum):
    """The age of a site."""

    BEFORE = "before"
    NOTICE = "notice"
    REDIRECT = "redirect"
    GONE = "gone"
    PASS_THROUGH = "pass-through"  # noqa: S105 - no password

    @property
    def forwards(self) -> bool:
        """Whether the old site still answers in this phase."""
        return self in {Phase.BEFORE, Phase.NOTICE, Phase.PASS_THROUGH}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time `[since, until)`; `None` is for ever on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, instant: datetime) -> bool:
        return (self.since is None or self.since <= instant) and (self.until is None or instant < self.until)

    def overlaps(self, other: Window) -> bool:
        """Whether some instant lies in both."""
        return _begins_before_end(self, other) and _begins_before_end(other, self) and not (self.empty or other.empty)

    @property
    def empty(self) -> bool:
        """Whether no instant lies in it."""
        return self.since is not None and self.until is not None and self.since >= self.until

    @property
    def edges(self) -> tuple[datetime, ...]:
        """The instants at which it begins and ends."""
        return tuple(edge for edge in (self.since, self.until) if edge is not None)


ALWAYS = Window()


def _begins_before_end(one: Window, other: Window) -> bool:
    return one.since is None or other.until is None or one.since < other.until


@dataclass(frozen=True, slots=True)
class Schedule:
    """The named milestones of a site, as instants in UTC, and for how long after the cutover a redirect is temporary.

    Without any milestone a site is past its cutover, from ever; milestones without a `cutover` forward until one is
    named (rule-file keys `schedule` and `soak`).
    """

    milestones: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    soak: timedelta = timedelta(0)

    @property
    def notice(self) -> datetime | None:
        """When the notice appears."""
        return self.milestones.get(NOTICE)

    @property
    def cutover(self) -> datetime | None:
        """When forwarding ends and redirecting begins."""
        return self.milestones.get(CUTOVER)

    @property
    def end(self) -> datetime | None:
        """When redirecting ends too."""
        return self.milestones.get(END)

    @property
    def after_cutover(self) -> Window:
        """From the cutover on: the window of a rule that names none. Empty while no cutover is known."""
        if not self.milestones:
            return ALWAYS
        if self.cutover is None:
            return Window(datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
        return Window(self.cutover)

    @property
    def soak_end(self) -> datetime | None:
        """When a redirect becomes permanent; `None` where it is so from ever (no cutover)."""
        if self.cutover is None:
            return None
        try:
            return self.cutover + self.soak
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def phase_at(self, instant: datetime) -> Phase:
        """The one phase that holds at `instant`."""
        if self.end is not None and instant >= self.end:
            return Phase.GONE
        if not self.milestones or (self.cutover is not None and instant >= self.cutover):
            return Phase.REDIRECT
        if self.notice is not None and instant >= self.notice:
            return Phase.NOTICE
        return Phase.BEFORE

    def is_temporary(self, instant: datetime) -> bool:
        """Whether a redirect at `instant` is temporary: before the cutover, or within `soak` after it."""
        return self.phase_at(instant).forwards or (self.soak_end is not None and instant < self.soak_end)

    @property
    def edges(self) -> tuple[datetime, ...]:
        """The instants at which the phase, or the permanence of redirects, changes."""
        return tuple(edge for edge in (self.notice, self.cutover, self.end, self.soak_end) if edge is not None)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Instants in order; between two neighbours nothing changes with time."""

    edges: tuple[datetime, ...]

    @classmethod
    def of(cls, edges: Iterable[datetime]) -> Timeline:
        """Sorted, each instant once."""
        return cls(tuple(sorted(set(edges))))

    def index(self, instant: datetime) -> int:
        """Which stretch `instant` lies in: 0 is before the first edge."""
        return bisect_right(self.edges, instant)

    def stretch(self, index: int) -> Window:
        """The stretch with that index."""
        since = self.edges[index - 1] if index else None
        until = self.edges[index] if index < len(self.edges) else None
        return Window(since, until)
