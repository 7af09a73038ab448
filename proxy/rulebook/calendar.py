"""The time of one site: its zone, its milestones, and what `from`, `until` and `at` mean there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from proxy.core.schedule import PHASE_MILESTONES, Schedule
from proxy.rulebook.field import ALWAYS
from proxy.rulebook.moment import Moment, resolve
from proxy.rulebook.refusal import Refusal, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.errors import Problem
    from proxy.rulebook.filled import Filled
    from proxy.rulebook.form import DefaultsForm, SiteForm

TWICE = "clocks are put back over this time, so it comes twice; the first is taken (an offset says which)"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`zone` is `None` where no time zone is named. `unsure`: mistakes in the schedule are reported already."""

    zone: tzinfo | None = None
    milestones: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    unsure: bool = False

    def instant(self, moment: Moment) -> tuple[datetime, bool]:
        """The instant in UTC, and whether it comes twice. Raises `Refusal`."""
        if self.zone is None and moment.is_local and not self.unsure:
            raise Refusal("no-timezone", 'no offset, and no "timezone" is named whose local time this could be')
        return resolve(moment, self.zone or UTC)

    def when(self, value: Moment | str) -> tuple[datetime | None, bool]:
        """The instant of a date or a milestone, `None` for `always`; and whether it comes twice. Raises `Refusal`."""
        if isinstance(value, Moment):
            return self.instant(value)
        if value == ALWAYS:
            return None, False
        if value in self.milestones:
            return self.milestones[value], False
        known = [*self.milestones, ALWAYS]
        raise Refusal("unknown-milestone", f'"{value}" is no milestone of this site{did_you_mean(value, known)}')


def build_calendar(
    own: Filled[SiteForm],
    defaults: Filled[DefaultsForm] | None,
    zone: tzinfo | None,
    problems: list[Problem],
    *,
    unsure: bool,
) -> Calendar:
    """The milestones of a site: those of the defaults, with its own in their place."""
    undated = Calendar(zone, unsure=unsure)
    written: dict[str, Filled[SiteForm] | Filled[DefaultsForm]] = {}
    for filled in (defaults, own):
        if filled is not None:
            written |= dict.fromkeys(filled.form.schedule, filled)
    milestones: dict[str, datetime] = {}
    for name, filled in written.items():
        moment = filled.form.schedule[name]
        if moment is None:
            continue
        try:
            milestones[name], twice = undated.instant(moment)
        except Refusal as refusal:
            problems.append(filled.refused(refusal, "schedule", name))
            unsure = True
            continue
        if twice:
            problems.append(filled.problem("time-twice", TWICE, "schedule", name))
    _check_order(milestones, written, problems)
    return Calendar(zone, MappingProxyType(milestones), unsure=unsure)


def build_schedule(calendar: Calendar, soak: int) -> Schedule:
    """The schedule that the core knows."""
    return Schedule(calendar.milestones, timedelta(seconds=soak))


def _check_order(
    milestones: Mapping[str, datetime],
    written: Mapping[str, Filled[SiteForm] | Filled[DefaultsForm]],
    problems: list[Problem],
) -> None:
    order = [name for name in PHASE_MILESTONES if name in milestones]
    for earlier, later in pairwise(order):
        if milestones[earlier] >= milestones[later]:
            message = f'"{later}" has to come after "{earlier}", which is {milestones[earlier]:%Y-%m-%d %H:%M} UTC'
            problems.append(written[later].problem("milestones-disordered", message, "schedule", later))
