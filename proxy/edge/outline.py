"""What there is to know about a rulebook without having it: for the desk, which shows numbers and decides nothing.

A rulebook of a million mappings lives in the workers. An outline of it is small, can be sent from one process to
another, and outlives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from proxy.core.mapping import MAPPINGS
from proxy.core.schedule import Phase, Schedule

if TYPE_CHECKING:
    from typing import Self

    from proxy.core.model import Site
    from proxy.core.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class SiteOutline:
    """A site by its name and milestones. `hits` are the names under which hits of its rules are counted."""

    name: str
    hosts: tuple[str, ...]
    base: str
    pass_through: bool
    milestones: dict[str, datetime]
    soak: timedelta
    hits: tuple[str, ...]
    rules: int
    mapped: int
    """Rows of its mapping files."""

    @classmethod
    def of(cls, site: Site) -> Self:
        """What there is to know about `site`."""
        names = [MAPPINGS if rule.mapped else rule.name for rule in site.rules]
        if site.mappings:
            names.append(MAPPINGS)
        return cls(
            site.name,
            site.hosts,
            site.base.decode() or "/",
            site.pass_through,
            dict(site.schedule.milestones),
            site.schedule.soak,
            tuple(dict.fromkeys(names)),
            len(site.rules),
            len(site.mappings or ()),
        )

    @property
    def schedule(self) -> Schedule:
        """Its milestones, as the core has them."""
        return Schedule(self.milestones, self.soak)

    def phase_at(self, instant: datetime) -> Phase:
        """The phase that it is in then."""
        return Phase.PASS_THROUGH if self.pass_through else self.schedule.phase_at(instant)

    def next_after(self, instant: datetime) -> tuple[str, datetime] | None:
        """The milestone that comes next, and when."""
        ahead = [(name, at) for name, at in self.milestones.items() if at > instant]
        return min(ahead, key=lambda milestone: milestone[1], default=None)


@dataclass(frozen=True, slots=True)
class Outline:
    """A rulebook by its name and sites. `rules` counts the rules and mapping rows of all of them."""

    generation: str
    rules: int
    warnings: int
    sites: tuple[SiteOutline, ...]

    @classmethod
    def of(cls, rulebook: Rulebook) -> Self:
        """What there is to know about `rulebook`."""
        sites = tuple(map(SiteOutline.of, rulebook.sites))
        rules = sum(site.rules + site.mapped for site in sites)
        return cls(rulebook.generation, rules, len(rulebook.warnings), sites)
