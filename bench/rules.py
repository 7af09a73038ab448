"""What every server is told to do, in the terms of none of them: `peers/` says it in their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HOST: Final = "old.example"
NEW: Final = "https://www.new.example"


@dataclass(frozen=True, slots=True)
class Prefixes:
    """All below two prefixes goes to another host, path and query kept. It is what a closed site does for years."""

    targets: tuple[tuple[str, str], ...] = (("/uk", NEW), ("/id", "https://www.new-id.example"))


@dataclass(frozen=True, slots=True)
class Mappings:
    """So many exact paths, each with an address of its own; the query is kept."""

    count: int

    @staticmethod
    def row(number: int) -> tuple[str, str]:
        """Old path and new address."""
        return f"/shop/product/{number}-some-product-name", f"{NEW}/products/{number}"

    def rows(self) -> Iterator[tuple[str, str]]:
        """All of them."""
        return map(self.row, range(self.count))


@dataclass(frozen=True, slots=True)
class Regexes:
    """So many regular expressions with different literal prefixes, each with a group; the query is kept."""

    count: int

    @staticmethod
    def row(number: int, group: str) -> tuple[str, str]:
        """A pattern, and the address that its group goes into, written as the server names a group."""
        return rf"^/news-{number}/(\d+)\.html$", f"{NEW}/stories-{number}/{group}"

    def rows(self, group: str) -> Iterator[tuple[str, str]]:
        """All of them."""
        return (self.row(number, group) for number in range(self.count))


@dataclass(frozen=True, slots=True)
class Forward:
    """A page of 20 KB is fetched from the old site at this port of loopback; a notice is put into it, or is not."""

    origin: int
    notice: bool = False


Rules = Prefixes | Mappings | Regexes | Forward
