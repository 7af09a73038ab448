"""The hosts of the rule files, read anew when a file has changed.

A mistake in the rule files leaves the hosts as they were: certificates are renewed all the same.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from proxy.errors import RulebookErrors
from proxy.rulebook.load import load

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("sunset")


class Hosts:
    """The hosts of a folder of rule files. Raises `RulebookErrors` where it cannot be used at the start."""

    def __init__(self, rules: Path) -> None:
        self._rules = rules
        self._seen = _signature(rules)
        self._hosts = _read(rules)

    def current(self) -> tuple[str, ...]:
        """The hosts as the files say now."""
        if (now := _signature(self._rules)) != self._seen:
            self._seen = now
            try:
                self._hosts = _read(self._rules)
            except RulebookErrors as refused:
                log.warning("acme: the rule files have %d problems; the hosts from before go on", len(refused.problems))
        return self._hosts


def _read(rules: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(host for site in load(rules).sites for host in site.hosts))


def _signature(rules: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells one state of the folder from another."""
    found = []
    for file in sorted(rules.glob("*.y*ml")):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((file.name, status.st_mtime_ns, status.st_size))
    return tuple(found)
