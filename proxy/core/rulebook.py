"""All sites together, and the table that holds at an instant.

A table is only compiled for a site when one of the site's own milestones or windows passes, so tables of different
instants share most of what they are made of.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from proxy.core.compile import compile_site, compile_table
from proxy.core.schedule import Timeline, Window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from proxy.core.model import Origin, Site
    from proxy.core.table import SiteTable, Table
    from proxy.errors import Problem


class Rulebook:
    """What a folder of rule files says. Immutable; `generation` names its contents."""

    def __init__(
        self,
        sites: Iterable[Site],
        targets: Iterable[str] = (),
        *,
        generation: str = "",
        warnings: Iterable[Problem] = (),
    ) -> None:
        self.sites = tuple(sites)
        self.targets = tuple(targets)
        self.generation = generation
        self.warnings = tuple(warnings)
        self._timelines = tuple(Timeline.of(_edges(site)) for site in self.sites)
        self._timeline = Timeline.of(edge for timeline in self._timelines for edge in timeline.edges)
        self._compiled: dict[tuple[int, int], SiteTable] = {}

    @property
    def edges(self) -> tuple[datetime, ...]:
        """Every instant at which something changes, in order."""
        return self._timeline.edges

    def at(self, instant: datetime, *, preview_suffix: str = "") -> Table:
        """The table that holds at `instant`, an aware datetime.

        With `preview_suffix` (`.localhost`) every host is also known with that behind it. Raises `ValueError` for a
        datetime without offset.
        """
        if instant.tzinfo is None:
            raise ValueError("an instant needs an offset; at_local takes a time on the sites' own clocks")
        tables = [self._site_at(index, instant) for index in range(len(self.sites))]
        stretch = self._timeline.stretch(self._timeline.index(instant))
        return compile_table(tables, stretch, preview_suffix=preview_suffix)

    def at_local(self, wall: datetime) -> Table:
        """The table of what each site answers when its own clocks show `wall`, a datetime without offset.

        Of a time that comes twice (the hour that daylight saving repeats) the first is meant. The table has no
        `since` and no `until`, as it is no single instant's.
        """
        tables = [
            self._site_at(index, wall.replace(tzinfo=site.timezone).astimezone(UTC))
            for index, site in enumerate(self.sites)
        ]
        return compile_table(tables, Window())

    def with_origin(self, origin: Origin) -> Rulebook:
        """The same rulebook with every site forwarded to `origin`."""
        sites = (replace(site, origins=(origin,)) for site in self.sites)
        return Rulebook(sites, self.targets, generation=self.generation, warnings=self.warnings)

    def _site_at(self, index: int, instant: datetime) -> SiteTable:
        key = (index, self._timelines[index].index(instant))
        if (table := self._compiled.get(key)) is None:
            table = self._compiled[key] = compile_site(self.sites[index], instant)
        return table


def _edges(site: Site) -> Iterable[datetime]:
    yield from site.schedule.edges
    for rule in site.rules:
        yield from rule.window.edges
