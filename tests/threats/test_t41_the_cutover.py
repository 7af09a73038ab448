"""T41: the clock jumps, or is set back by an hour in the night of the cutover.

`faketime` moves the machine's clock under a server that runs. The cutover is to the second; an answer that is under way
ends as it began; a clock that goes back undoes nothing.
"""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import pytest

from proxy.edge.clock import Clock
from tests.threats.conftest import Figure, Originating
from tests.threats.running import PATIENCE, Running, Start

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
CUTOVER = datetime(2024, 12, 31, tzinfo=UTC)
"""As the old site of `origins` has it."""
BEFORE, AFTER = b"200", b"301"
LATEST = 1.0
"""Seconds after the cutover by which nothing is forwarded any more, on a machine that is busy."""
EARLIEST = 0.01
"""Seconds that two clocks may differ by, which were not read at the same instant."""


class Watch:
    """The machine's clock, as a server sees it."""

    def __init__(self, folder: Path) -> None:
        if not LIBRARIES:
            assert not (os.environ.get("CI") and os.geteuid() == 0), "faketime is not installed"
            pytest.skip("faketime is not installed")
        self._file = folder / "offset"
        self.variables: dict[str, Any] = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def show(self, instant: datetime) -> None:
        """Set it; it goes on from there."""
        offset = (instant - Clock().now()).total_seconds()
        (self._file.parent / "new").write_text(f"{offset:+.3f}\n", "ascii")
        (self._file.parent / "new").replace(self._file)


def ask(server: Running) -> bytes:
    return server.tell(b"GET /x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n")[9:12]


def until(server: Running, status: bytes) -> float:
    """Seconds until the server gives that status."""
    began = time.monotonic()
    while ask(server) != status:
        assert time.monotonic() - began < PATIENCE
    return time.monotonic() - began


def test_a_clock_that_jumps_is_followed_forward_and_never_back(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    released = Event()

    def answers(head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"
        if b" /slow " in head:
            released.wait()
        yield b"ok"

    watch = Watch(tmp_path)
    watch.show(CUTOVER - timedelta(hours=12))
    server = start(rules=origin(answers).rules(tmp_path), **watch.variables)
    assert ask(server) == BEFORE
    watch.show(CUTOVER - timedelta(hours=13))
    assert ask(server) == BEFORE
    with server.connect() as slow:
        slow.sendall(b"GET /slow HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"
        watch.show(CUTOVER)
        noticed = until(server, AFTER)
        for back in (timedelta(seconds=1), timedelta(hours=1), timedelta(days=30)):
            watch.show(CUTOVER - back)
            for _ in range(20):
                assert ask(server) == AFTER
        released.set()
        said = b""
        while received := slow.recv(4096):
            said += received
        assert said.endswith(b"okok")
    figure(
        "T41", "s after which a jump over the cutover is noticed; then, with the clock set back", f"{noticed:.2f}; 301"
    )


def test_the_cutover_comes_to_the_second(start: Start, origin: Originating, tmp_path: Path, figure: Figure) -> None:
    def answers(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    watch = Watch(tmp_path)
    watch.show(CUTOVER - timedelta(hours=1))
    server = start("--workers", "1", rules=origin(answers).rules(tmp_path), **watch.variables)
    assert ask(server) == BEFORE
    watch.show(CUTOVER - timedelta(seconds=3))
    due = time.monotonic() + 3.0
    last_before = asked = time.monotonic()
    while (status := ask(server)) == BEFORE:
        last_before, asked = asked, time.monotonic()
        assert asked < due + LATEST
    assert status == AFTER
    assert time.monotonic() > due - EARLIEST
    figure("T41", "ms from the cutover to when the last forward was asked for", f"{(last_before - due) * 1000:.0f}")
