"""Sites and rules that get in each other's way: two owners of one address, two rules for one pattern.

These are mistakes that no file shows by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.kind import Kind
from proxy.core.pattern import PathPattern, RegexPattern
from proxy.rulebook.codes import problem
from proxy.rulebook.host import WILDCARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.core.model import Rule, Site
    from proxy.errors import Problem
    from proxy.rulebook.site import Built


def find_clashes(built: Sequence[Built]) -> Iterator[Problem]:
    """Everything in which sites contradict each other or themselves."""
    yield from _repeated_names(built)
    yield from _repeated_bases(built)
    yield from _own_origins(built)
    owners = _Owners(built)
    for one in built:
        yield from _repeated_rules(one)
        yield from _rules_and_rows(one)
        yield from owners.never_asked(one)


def _repeated_names(built: Sequence[Built]) -> Iterator[Problem]:
    first: dict[str, Built] = {}
    for one in built:
        name = one.site.name
        if (other := first.setdefault(name, one)) is not one:
            yield one.own.problem("site-repeated", f'"{name}" is the site of {other.site.place} already', "site")


def _repeated_bases(built: Sequence[Built]) -> Iterator[Problem]:
    owners: dict[tuple[str, bytes], list[Built]] = {}
    for one in built:
        for at, host in enumerate(one.site.hosts):
            others = owners.setdefault((host, one.site.base.lower()), [])
            for other in others:
                if one.site.base == other.site.base or not (one.site.match_case and other.site.match_case):
                    address = f"{host}{one.site.base.decode() or '/'}"
                    message = f'"{address}" belongs to {other.site.name} already ({other.site.place})'
                    yield one.own.problem("base-claimed-twice", message, "hosts", at)
                    break
            others.append(one)


def _own_origins(built: Sequence[Built]) -> Iterator[Problem]:
    hosts = {host for one in built for host in one.site.hosts}
    wild = tuple(host[1:] for host in hosts if host.startswith(WILDCARD))
    for one in built:
        if not one.own.has("origin"):
            continue
        for origin in one.site.origins:
            if origin.host in hosts or (wild and origin.host.endswith(wild)):
                message = f'"{origin.host}" is a host of this rulebook: where it leads to Sunset, Sunset asks itself'
                yield one.own.problem("origin-is-own-host", message, "origin")


def _repeated_rules(one: Built) -> Iterator[Problem]:
    site = one.site
    groups: dict[tuple[object, ...], list[Rule]] = {}
    for rule in site.rules:
        groups.setdefault(_identity(rule, site), []).append(rule)
    for rules in groups.values():
        for at, rule in enumerate(rules[1:], start=1):
            other = next((other for other in rules[:at] if other.window.overlaps(rule.window)), None)
            if other is None:
                continue
            if rule.mapped:
                message = f"this old address stands at {other.place} already"
                yield problem(rule.place, "mapping-repeated", message)
            else:
                message = f"{other.place} has the same pattern and conditions, at the same time"
                yield one.own.problem("rule-repeated", message, "rules", rule.order)


def _identity(rule: Rule, site: Site) -> tuple[object, ...]:
    """Equal for two rules of a site that want the same requests."""
    pattern = rule.pattern
    parts: tuple[object, ...] = pattern.identity
    slash: object = None
    if isinstance(pattern, PathPattern):
        if not site.match_case:
            segments = tuple(part.lower() if isinstance(part, bytes) else None for part in pattern.segments)
            parts = (pattern.tail, segments)
        slash = (rule.match_slash, rule.match_slash and pattern.trailing_slash)
    conditions = frozenset((condition.name, condition.value) for condition in rule.conditions)
    return (pattern.kind is Kind.REGEX, parts, slash, conditions, rule.methods)


def _rules_and_rows(one: Built) -> Iterator[Problem]:
    site = one.site
    if site.mappings is None:
        return
    for rule in site.rules:
        pattern = rule.pattern
        if rule.mapped or rule.conditions or rule.methods is not None or rule.match_slash != site.match_slash:
            continue
        if not isinstance(pattern, PathPattern) or pattern.kind is not Kind.EXACT:
            continue
        if not rule.window.overlaps(site.schedule.after_cutover):
            continue
        key = pattern.literal_prefix + (b"/" if site.match_slash and pattern.trailing_slash else b"")
        key = key if site.match_case else key.lower()
        if (row := site.mappings.find(key)) is not None:
            message = f"{site.mappings.place(row)} has the same address, at the same time"
            yield one.own.problem("rule-repeated", message, "rules", rule.order)


class _Owners:
    """Which bases there are on each host."""

    def __init__(self, built: Sequence[Built]) -> None:
        self.exact: dict[str, dict[bytes, Built]] = {}
        self.folded: dict[str, dict[bytes, Built]] = {}
        for one in built:
            for host in one.site.hosts:
                if one.site.match_case:
                    self.exact.setdefault(host, {})[one.site.base] = one
                else:
                    self.folded.setdefault(host, {})[one.site.base.lower()] = one

    def never_asked(self, one: Built) -> Iterator[Problem]:
        """Rules of a site whose paths all belong to others."""
        if not any(self.others(host) for host in one.site.hosts):
            return
        for rule in one.site.rules:
            if rule.mapped:
                continue
            owners = [self.owner_below(host, rule, one.site) for host in one.site.hosts]
            if all(owners):
                names = ", ".join(dict.fromkeys(owner.site.name for owner in owners if owner is not None))
                message = f"this path belongs to {names}, on every host of this site"
                yield one.own.problem("rule-never-asked", message, "rules", rule.order)

    def others(self, host: str) -> bool:
        """Whether a host has more than one site."""
        return len(self.exact.get(host, ())) + len(self.folded.get(host, ())) > 1

    def owner_below(self, host: str, rule: Rule, site: Site) -> Built | None:
        """A site with a longer base that owns all paths of a rule."""
        prefix = rule.pattern.prefix if isinstance(rule.pattern, RegexPattern) else rule.pattern.literal_prefix
        if isinstance(rule.pattern, RegexPattern):
            prefix = prefix[: prefix.rfind(b"/")] if b"/" in prefix else b""
        while len(prefix) > len(site.base):
            found = self.folded.get(host, {}).get(prefix.lower())
            if found is None and site.match_case:
                found = self.exact.get(host, {}).get(prefix)
            if found is not None and found.site is not site:
                return found
            prefix = prefix[: prefix.rfind(b"/")]
        return None
