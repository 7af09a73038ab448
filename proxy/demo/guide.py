"""What to open and what to type while a demo runs: made from the rulebook, the ports and the time on its clock.

Every line is something that works as it stands: the addresses answer, and the commands can be pasted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from shlex import join
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.core.schedule import Phase

if TYPE_CHECKING:
    from proxy.core.model import Site
    from proxy.core.rulebook import Rulebook
    from proxy.demo.shop import Region, Shop
    from proxy.edge.configuration.settings import Endpoint

AHEAD: Final = timedelta(days=30)
"""How long before the first cutover a demo begins, as far as the notice is there by then."""
TO_WATCH: Final = timedelta(seconds=20)


class Step(NamedTuple):
    """An address to open or a command to paste, and what it shows."""

    text: str
    shows: str


@dataclass(frozen=True, slots=True)
class Scene:
    """How a demo was started: where it listens, what its clock shows first, how `sunset` is typed here.

    `rules` is the folder of rules where it is not the one that every command takes by itself, else empty.
    """

    rulebook: Rulebook
    shop: Shop
    listen: Endpoint
    admin: Endpoint
    suffix: str
    instant: datetime
    program: str
    rules: str

    def addresses(self) -> list[Step]:
        """An address of each site, for a browser."""
        return [
            Step(self._preview(region), f"{site.name}: {_said_of(site, self.instant)}")
            for site in self.rulebook.sites
            for region in self.shop.regions_of(site)[:1]
        ]

    def commands(self) -> list[Step]:
        """Commands for a second terminal."""
        region = self._leading()
        shown = sorted(region.products, key=lambda product: not product.category)[:1]
        path = shown[0].path if shown else region.home
        local = f"http://{self.listen}"
        steps = [
            Step(f"curl -sI {self._preview(region, path)}", "what a visitor is told now"),
            Step(
                join(["curl", "-sI", "-H", f"Host: {region.host}", local + path]), "the same, asked for by its own name"
            ),
            Step(f"curl -s http://{self.admin}/metrics | grep ^sunset_requests", "what was counted"),
        ]
        cutover = region.site.schedule.cutover
        if cutover is None:
            return steps
        day = cutover.astimezone(region.site.timezone)
        address = f"https://{region.host}{path}"
        return [
            *steps,
            Step(
                self._sunset("explain", address, "--at", _written(day)),
                "the answer of that day, and the rule behind it",
            ),
            Step(
                self._sunset("demo", "--at", _written(cutover - TO_WATCH, utc=True)),
                f"starts {TO_WATCH.seconds} s before the cutover of {region.site.name}: reload, and see it come",
            ),
            Step(self._sunset("demo", "--at", _written(_day_after(self.rulebook))), "starts when every site has moved"),
        ]

    def _leading(self) -> Region:
        """The region that is shown: one that moves, with products of its own, rather in the language of this text."""

        def worth(region: Region) -> tuple[bool, ...]:
            site = region.site
            return (
                site.schedule.cutover is not None,
                bool(site.mappings),
                bool(site.base),
                site.language.startswith("en"),
            )

        return max(self.shop.regions, key=worth)

    def _preview(self, region: Region, path: str = "") -> str:
        return f"http://{region.host}{self.suffix}:{self.listen.port}{path or region.home}"

    def _sunset(self, *arguments: str) -> str:
        return f"{self.program} {join(arguments)}" + (f" --rules {join([self.rules])}" if self.rules else "")


def opening(rulebook: Rulebook) -> datetime | None:
    """When a demo begins: some weeks before the first cutover, in the notice phase; `None` where nothing closes."""
    ends = [
        (site.schedule.cutover, site.schedule.notice) for site in rulebook.sites if site.schedule.cutover is not None
    ]
    if not ends:
        return None
    cutover, notice = min(ends, key=lambda end: end[0])
    begins = cutover - AHEAD
    return notice + (cutover - notice) / 2 if notice is not None and begins < notice < cutover else begins


def _said_of(site: Site, instant: datetime) -> str:
    if site.pass_through:
        return "passed through as it is, for ever"
    match site.schedule.phase_at(instant):
        case Phase.BEFORE:
            return "the old site"
        case Phase.NOTICE:
            return "the old site, and its answers announce the end"
        case Phase.REDIRECT:
            return "redirects to where the page lives now"
        case Phase.GONE:
            return "gone"
        case Phase.PASS_THROUGH:
            return "passed through"


def _day_after(rulebook: Rulebook) -> datetime:
    """Midnight in UTC, when every site that closes has closed."""
    last = max(site.schedule.cutover for site in rulebook.sites if site.schedule.cutover is not None)
    day = last.astimezone(UTC)
    midnight = datetime.combine(day, time(), UTC)
    return midnight if midnight >= day else midnight + timedelta(days=1)


def _written(when: datetime, *, utc: bool = False) -> str:
    """As `--at` takes it: a date where it is one."""
    text = when.strftime("%Y-%m-%dT%H:%M:%S")
    return text + "Z" if utc else text.removesuffix("T00:00:00")
