"""T28: an origin's answer has more in its head than a server of today would send, and yet the visitor wants the page.

Policies of 9 KB are real, and go through; so does all else up to 64 KiB a field and 256 fields. Above it nobody has to
guess what was meant: it is 502, and the next request is answered as ever.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Running, Start

KIB = 1024
LARGEST = 64 * KIB
MOST = 256
LENGTH = b"Content-Length: 2\r\n"

ANSWERS = {
    "a policy of 9 KB": (b"Content-Security-Policy: default-src " + b"https://a.example " * 512 + b"\r\n", 200),
    "a field of almost 64 KiB": (b"X: " + b"x" * (LARGEST - KIB) + b"\r\n", 200),
    "a field of 65 KiB": (b"X: " + b"x" * (LARGEST + KIB) + b"\r\n", 502),
    "a field of 8 MiB": (b"X: " + b"x" * (8 * KIB * KIB) + b"\r\n", 502),
    "255 fields and a length": (b"".join(b"X-%d: x\r\n" % number for number in range(MOST - 1)), 200),
    "257 fields": (b"".join(b"X-%d: x\r\n" % number for number in range(MOST)), 502),
    "100,000 fields": (b"X: x\r\n" * 100_000, 502),
}


def status(server: Running, path: str) -> int:
    answer = server.tell(f"GET {path} HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n".encode())
    return int(answer.split(b" ", 2)[1])


def test_a_head_is_taken_up_to_its_limits(start: Start, origin: Originating, tmp_path: Path) -> None:
    pages = {f"/{number}": answer for number, answer in enumerate(ANSWERS.values())}

    def answering(head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        fields, _ = pages[head.split(b" ", 2)[1].decode()]
        yield b"HTTP/1.1 200 OK\r\n" + LENGTH + fields + b"\r\nok"

    server = start("--at", "2024-10-01", rules=origin(answering).rules(tmp_path))
    for _ in range(2):
        answered = {name: status(server, path) for name, path in zip(ANSWERS, pages, strict=True)}
        assert answered == {name: expected for name, (_, expected) in ANSWERS.items()}
    assert not any("Traceback" in line for line in server.lines)


def test_heads_without_end_fill_neither_memory_nor_the_log(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    def answering(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        while True:
            yield b"X: " + b"x" * 4093 + b"\r\n"

    server = start("--at", "2024-10-01", rules=origin(answering).rules(tmp_path))
    for _ in range(20):
        assert status(server, "/") == 502
    before, said, began = server.memory(), len(server.lines), time.monotonic()
    for _ in range(100):
        assert status(server, "/") == 502
    after, lines, seconds = server.memory(), len(server.lines) - said, time.monotonic() - began
    assert after - before < 5
    assert lines <= seconds + 2
    figure("T28", "memory before and after 100 heads without end, MiB", f"{before:.1f}, {after:.1f}")
    figure("T28", f"log lines about them, in {seconds:.0f} s", lines)
