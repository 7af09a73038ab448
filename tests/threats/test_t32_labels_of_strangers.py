"""T32: somebody asks for ever new hosts, paths and methods, so that metrics grow until nothing can hold them.

Labels come from rule files alone. Ten thousand different requests, half of them for hosts that nobody owns, add to
counters that were there before them.
"""

import random
import string

from tests.threats.conftest import Figure
from tests.threats.running import Running, Start

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND")
CONNECTIONS = 180
TOGETHER = 50
"""Requests on one connection."""
NAMELESS = 1000
"""Requests of methods that nobody knows, each on a connection of its own."""


def word(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_lowercase + string.digits, k=12))


def request(chance: random.Random, method: str, host: str) -> bytes:
    return f"{method} /uk/{word(chance)}?{word(chance)}=1 HTTP/1.1\r\nHost: {host}\r\n".encode()


def hosts(chance: random.Random) -> list[str]:
    return ["po.co", "www.po.co.id", f"{word(chance)}.example", f"{word(chance)}.po.co"]


def visit(server: Running, requests: list[bytes]) -> int:
    """How many are answered on one connection."""
    *others, last = requests
    answer = server.tell(b"".join([*(each + b"\r\n" for each in others), last + b"Connection: close\r\n\r\n"]))
    return answer.count(b"HTTP/1.1 ")


def test_what_strangers_ask_for_adds_no_series(start: Start, figure: Figure) -> None:
    chance = random.Random(32)
    server = start("--at", "2025-01-01")
    for method in (*METHODS, word(chance).upper()):
        for host in (*hosts(chance), "no host"):
            assert visit(server, [request(chance, method, host)]) == 1
    before = server.series()
    asked = answered = 0
    for _ in range(CONNECTIONS):
        requests = [request(chance, chance.choice(METHODS), chance.choice(hosts(chance))) for _ in range(TOGETHER)]
        answered += visit(server, requests)
        asked += TOGETHER
    for _ in range(NAMELESS):
        answered += visit(server, [request(chance, word(chance).upper(), chance.choice(hosts(chance)))])
        asked += 1
    after = server.series()
    assert after.keys() == before.keys()
    counted = sum(after[key] - before[key] for key in after if key[0] == "sunset_requests_total")
    assert counted == answered == asked
    figure("T32", f"series before and after {asked:,} random hosts, paths and methods", f"{len(before)}, {len(after)}")
