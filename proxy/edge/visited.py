"""The addresses that were asked for most, of all that strangers have thought of.

There are never more than a bounded number of them. When there is no room for another, those with the fewest hits are
counted together from then on: what many ask for stays, and noise goes. This is what a ledger is built on.
"""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 20_000
"""Addresses that are told apart."""


class Address(NamedTuple):
    """What was asked for, and what became of it. `rule` is empty where none has matched; `path` is as received."""

    site: str
    outcome: str
    status: int
    rule: str
    path: str


class Visited:
    """Hits by address, and in `others` those of addresses that are not told apart any more."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._hits: dict[Address, int] = {}
        self.others = 0

    def __len__(self) -> int:
        return len(self._hits)

    def add(self, address: Address, hits: int) -> None:
        """An address was asked for again."""
        if address not in self._hits and len(self._hits) >= self._most:
            self._thin_out()
        self._hits[address] = self._hits.get(address, 0) + hits

    def top(self, count: int) -> Sequence[tuple[Address, int]]:
        """So many of them, those with the most hits first."""
        return nlargest(count, self._hits.items(), key=lambda item: item[1])

    def _thin_out(self) -> None:
        """Keep the better half."""
        kept = dict(self.top(self._most // 2))
        self.others += sum(self._hits.values()) - sum(kept.values())
        self._hits = kept
