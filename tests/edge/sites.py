"""Rulebooks made by hand, small ones, of names that a test can read."""

from datetime import UTC, datetime
from typing import Any

from proxy.core.model import KeepPath, Notice, Origin, RedirectTo, Rule, Site
from proxy.core.pattern import parse_path
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule, Window
from proxy.core.target import parse_target
from proxy.errors import Place

NOTICE = datetime(2024, 10, 9, tzinfo=UTC)
CUTOVER = datetime(2024, 12, 31, tzinfo=UTC)
AFTER = datetime(2025, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 10, 1, tzinfo=UTC)
SCHEDULE = Schedule({"notice": NOTICE, "cutover": CUTOVER})
HOME = parse_target("https://www.mi.com/uk")
PLACE = Place("uk.yaml", 1, 1)


def rule(path: str, to: str, order: int = 0, **more: Any) -> Rule:
    more.setdefault("window", Window(CUTOVER))
    return Rule(parse_path(path), RedirectTo(parse_target(to, HOME)), path, PLACE, order, **more)


def site(name: str = "uk", **keys: Any) -> Site:
    """A site on po.co that moves to www.mi.com/uk and keeps its paths."""
    all_keys: dict[str, Any] = {
        "hosts": ("po.co", "www.po.co"),
        "place": PLACE,
        "schedule": SCHEDULE,
        "moves_to": HOME,
        "unmapped": KeepPath(),
    } | keys
    return Site(name, **all_keys)


def forwarding(origin: Origin, **keys: Any) -> Site:
    """A site that forwards, and has not announced anything yet."""
    return site(origins=(origin,), schedule=Schedule({"cutover": datetime(2999, 1, 1, tzinfo=UTC)}), **keys)


def passing_through(origin: Origin, **keys: Any) -> Site:
    return site("in", origins=(origin,), pass_through=True, moves_to=None, schedule=Schedule(), **keys)


def rulebook(*sites: Site, generation: str = "test") -> Rulebook:
    return Rulebook(sites or (site(),), ("www.mi.com",), generation=generation)


def notice(**keys: Any) -> Notice:
    all_keys: dict[str, Any] = {
        "message": "This site closes on {cutover}.",
        "pages": {"en": "# Moving\n\nOn {cutover}."},
    } | keys
    return Notice(**all_keys)
