"""Excerpts of a rulebook: the sites that a host concerns, without the others.

What is answered for a host depends on the sites that name it, exactly or by a wildcard, and on no others. Who asks
about single addresses at many instants asks an excerpt, so that an instant costs one site and not a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.rulebook import Rulebook
from proxy.core.url import parse_host
from proxy.rulebook.host import WILDCARD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proxy.core.decision import Decision
    from proxy.core.model import Site
    from proxy.core.table import Table


class Excerpts:
    """All excerpts of some sites."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._naming: dict[str, list[int]] = {}
        for index, site in enumerate(sites):
            for host in site.hosts:
                self._naming.setdefault(host, []).append(index)
        self._known: dict[bytes, tuple[int, ...]] = {}
        self._rulebooks: dict[tuple[int, ...], Rulebook] = {}
        self._tables: dict[tuple[tuple[int, ...], datetime], Table] = {}

    def sites_of(self, host: bytes) -> tuple[Site, ...]:
        """The sites that could answer for a host."""
        return tuple(self._sites[index] for index in self._indices(host))

    def ask(
        self, instant: datetime, host: bytes, raw_target: bytes, method: bytes = b"GET", *, secure: bool = True
    ) -> Decision:
        """The decision at an instant; with a datetime without offset: when the clocks of the sites show it."""
        indices = self._indices(host)
        key = (indices, instant)
        table = self._tables.get(key)
        if table is None:
            rulebook = self._rulebooks.get(indices)
            if rulebook is None:
                rulebook = self._rulebooks[indices] = Rulebook(self._sites[index] for index in indices)
            table = rulebook.at_local(instant) if instant.tzinfo is None else rulebook.at(instant)
            self._tables[key] = table
        return table.decide(host, raw_target, method, secure)

    def _indices(self, host: bytes) -> tuple[int, ...]:
        indices = self._known.get(host)
        if indices is None:
            indices = self._known[host] = self._find(host)
        return indices

    def _find(self, host: bytes) -> tuple[int, ...]:
        name = (parse_host(host) or b"").decode("ascii")
        found = list(self._naming.get(name, ()))
        dot = name.find(".")
        while dot >= 0:
            found += self._naming.get(WILDCARD[:-1] + name[dot:], ())
            dot = name.find(".", dot + 1)
        return tuple(found)
