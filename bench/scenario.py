"""What is measured: who is asked what, and how. All of it is this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.load import Load
from bench.peers.aiohttp import Application, Floor, LowLevel
from bench.peers.caddy import Caddy
from bench.peers.haproxy import Haproxy
from bench.peers.nginx import Nginx
from bench.peers.peer import Peer
from bench.peers.sunset import Sunset, TwoWorkers
from bench.rules import Forward, Mappings, Prefixes, Regexes, Rules
from bench.server import free_port

NGINX: Final = Nginx()
HAPROXY: Final = Haproxy()
CADDY: Final = Caddy()
AIOHTTP: Final = Application()
LOW_LEVEL: Final = LowLevel()
FLOOR: Final = Floor()
SUNSET: Final = Sunset()
TWO_WORKERS: Final = TwoWorkers()
PEERS: Final[tuple[Peer, ...]] = (SUNSET, TWO_WORKERS, NGINX, HAPROXY, CADDY, AIOHTTP, LOW_LEVEL, FLOOR)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server with rules. The floor answers wrongly, and is there to be looked at only."""

    peer: Peer
    rules: Rules
    size: int | None = None
    """How many rules it has, where a scenario has it more than once."""
    note: str = ""
    """In what it does less than the others."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Candidates that are measured in turn. `long` ones of them only in the full form."""

    name: str
    title: str
    load: Load
    candidates: tuple[Candidate, ...]
    long: tuple[Candidate, ...] = ()

    def in_form(self, *, full: bool) -> list[Candidate]:
        """Those of a form, smaller ones first."""
        return sorted(self.candidates + (self.long if full else ()), key=lambda candidate: candidate.size or 0)


def sized(kind: type[Mappings | Regexes], *counts: int) -> tuple[Candidate, ...]:
    """The servers that know long lists, with so many rules."""
    return tuple(Candidate(peer, kind(count), count) for count in counts for peer in (SUNSET, NGINX, HAPROXY))


REDIRECTS: Final = tuple(Candidate(peer, Prefixes()) for peer in (SUNSET, NGINX, HAPROXY, CADDY, AIOHTTP, LOW_LEVEL))
FLOORED: Final = (*REDIRECTS, Candidate(FLOOR, Prefixes(), note="reads no request, always answers the same"))
ORIGIN: Final = free_port()
"""Where the old site is in this run."""
FORWARDS: Final = tuple(Candidate(peer, Forward(ORIGIN)) for peer in (SUNSET, NGINX, HAPROXY, CADDY))
NOTICES: Final = (
    Candidate(SUNSET, Forward(ORIGIN, notice=True)),
    Candidate(NGINX, Forward(ORIGIN, notice=True)),
    Candidate(CADDY, Forward(ORIGIN), note="forwards without a notice"),
)

SCENARIOS: Final = (
    Scenario("keep-alive", "Redirect, keep-alive", Load(), (*FLOORED, Candidate(TWO_WORKERS, Prefixes()))),
    Scenario("new-connection", "Redirect, new connection", Load(close=True), FLOORED),
    Scenario("tls", "Redirect, new TLS 1.3 connection", Load(close=True, tls=True, connections=16), REDIRECTS),
    Scenario("mappings", "Mappings", Load(), sized(Mappings, 10, 100_000), long=sized(Mappings, 1_000, 1_000_000)),
    Scenario("regexes", "Regular expressions", Load(), sized(Regexes, 10, 1_000), long=sized(Regexes, 100)),
    Scenario("forward", "Forward a page of 20 KB", Load(), FORWARDS),
    Scenario("notice", "Forward it with a notice", Load(), NOTICES),
    Scenario("pace", "Redirect at a steady pace, 4,000 requests a second", Load(pause=8), REDIRECTS),
)
