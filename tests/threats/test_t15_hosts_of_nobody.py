"""T15: somebody points a name of theirs at this machine, to have it redirect, forward or vouch for what is not its own.

A host that no site owns is 421, in every phase, whatever is asked for, and has no name in the metrics.
"""

import random
import string
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Start

FIXED = [
    *("po.co.evil.example", "evilpo.co", "xpo.co", "po-co", "co", "localhost", "127.0.0.1", "[::1]", "0x7f.1"),
    *("2130706433", "xn--po-co.example", "www.mi.com", "sub.po.co", "metrics", "169.254.169.254", "po.co.localhost"),
]
MANY = 500
ANSWERED = "sunset_requests_total"
PATHS = ["/", "/uk/x", "/.sunset/notice", "/robots.txt", "/metrics", "/.well-known/security.txt"]


def ok(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize("at", ["2024-10-01", "2024-11-01", "2025-01-01"])
def test_nothing_is_answered_for_a_host_of_nobody(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure, at: str
) -> None:
    chance = random.Random(at)
    old = origin(ok)
    server = start("--at", at, rules=old.rules(tmp_path))
    made_up = [f"{''.join(chance.choices(string.ascii_lowercase, k=9))}.example" for _ in range(MANY)]
    for host in (*FIXED, *made_up):
        method, path = chance.choice(["GET", "POST", "HEAD"]), chance.choice(PATHS)
        answer = server.tell(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 421 "), (host, path)
        assert b"Location:" not in answer
        assert host not in made_up or host.encode() not in answer
    assert old.heads == []
    counted = {(dict(labels)["site"], value) for (name, labels), value in server.series().items() if name == ANSWERED}
    assert {(site, value) for site, value in counted if value} == {("other", len(FIXED) + MANY)}
    figure("T15", f"hosts of nobody at {at}: 421, redirected, forwarded", f"{len(FIXED) + MANY}, 0, 0")
