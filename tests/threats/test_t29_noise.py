"""T29: somebody sends nonsense, a lot of it, to have it logged with tracebacks, echoed, or kept in memory.

Each malformed request gets a few fixed bytes and the end of its connection. The log has a line a second about them at
most, which holds none of their bytes, and memory is what it was.
"""

import random
import time

from tests.threats.conftest import Figure
from tests.threats.running import Start

MARK = b"zqxj"
"""Stands in every request, and must not come back."""
MALFORMED = (
    b"GET /" + MARK * 1500 + b" HTTP/1.1\r\nHost: po.co\r\nX: \xff\x00" + MARK + b"\r\n\r\n",
    b"GET /" + MARK * 3000 + b" HTTP/1.1\r\nHost: po.co\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: po.co\r\n" + MARK + b": " + MARK * 3000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: " + MARK + b"@po.co\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: po.co\r\nContent-Length: 1\r\nTransfer-Encoding: " + MARK + b"\r\n\r\n",
    MARK.upper() + b" / HTTP/1.1\r\nHost: po.co\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01" + MARK,
)
WARM = 500
REQUESTS = 5000
MOST_GROWTH = 5.0
"""MiB; memory of the allocator goes up and down a little."""


def test_nonsense_is_not_echoed_not_kept_and_not_written_down(start: Start, figure: Figure) -> None:
    chance = random.Random(29)
    server = start("--at", "2025-01-01")

    def send(times: int) -> int:
        longest = 0
        for _ in range(times):
            answer = server.tell(chance.choice(MALFORMED))
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.1 431"}
            assert b"\r\nConnection: close" in head
            assert MARK not in answer.lower()
            longest = max(longest, len(body))
        return longest

    send(WARM)
    before, said, began = server.memory(), len(server.lines), time.monotonic()
    longest = send(REQUESTS)
    seconds = time.monotonic() - began
    after, lines = server.memory(), server.lines[said:]
    assert longest <= 200
    assert after - before < MOST_GROWTH
    assert len(lines) <= seconds + 2
    assert not any("Traceback" in line or MARK.decode() in line.lower() for line in lines)
    figure("T29", f"memory before and after {REQUESTS:,} malformed requests, MiB", f"{before:.1f}, {after:.1f}")
    figure("T29", f"log lines about them, in {seconds:.0f} s", len(lines))
    figure("T29", "longest body of an answer to them, bytes", longest)
