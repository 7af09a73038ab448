"""T33: somebody asks for ever new addresses, so that counts of hits by address fill the memory.

So many are told apart between two reports, and so many in all; what is above is only counted.
"""

from tests.threats.conftest import Figure
from tests.threats.running import Running, Start

WARM, MANY = 5_000, 80_000
TOGETHER = 200
"""Requests on one connection."""
LENGTH = 900
"""Bytes of each path, nearly the longest that is told apart: all of them would be 72 MB."""
MOST_GROWTH = 30.0
"""MiB: as much as the addresses take that are told apart in all, however many reports they come in."""


def visit(server: Running, first: int, number: int) -> int:
    """How many of so many different addresses are redirected."""
    done = 0
    for start in range(first, first + number, TOGETHER):
        requests = [
            b"GET /uk/%d/%b HTTP/1.1\r\nHost: po.co\r\n" % (each, b"x" * LENGTH)
            for each in range(start, start + TOGETHER)
        ]
        done += server.tell(b"\r\n".join(requests) + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 301 ")
    return done


def test_memory_does_not_grow_with_addresses(start: Start, figure: Figure) -> None:
    server = start("--at", "2025-01-01", "--workers", "1")
    assert visit(server, 0, WARM) == WARM
    before = server.memory()
    assert visit(server, WARM, MANY) == MANY
    after = server.memory()
    assert after - before < MOST_GROWTH
    counted = server.series()["sunset_unmapped_requests_total", (("site", "poco-uk"),)]
    assert counted == WARM + MANY
    figure("T33", f"memory before and after {MANY:,} addresses of {LENGTH} bytes, MiB", f"{before:.1f}, {after:.1f}")
