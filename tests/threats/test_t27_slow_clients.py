"""T27: somebody holds many connections open, and sends on each just enough to keep it: heads and bodies that drip.

A head has its seconds from its first byte, a body its rate, a quiet connection its time; then each is closed, while
everybody else is answered as ever. `slowhttptest` does it the way that attackers do.
"""

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start

SLOW = 100
PLAIN = b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n"
VARIABLES: dict[str, Any] = {
    "SUNSET_TIMEOUTS_HEAD": "2s",
    "SUNSET_TIMEOUTS_BODY_RATE": "2s",
    "SUNSET_TIMEOUTS_UNREAD": "1s",
}


class Dripping(threading.Thread):
    """Many clients that send a byte each now and then, until the server has ended them all."""

    def __init__(self, server: Running, beginning: bytes, drop: bytes) -> None:
        super().__init__()
        self.open = [server.connect() for _ in range(SLOW)]
        self.lived: list[float] = []
        self._drop = drop
        self._began = time.monotonic()
        for sock in self.open:
            sock.sendall(beginning)
            sock.settimeout(0.001)

    def run(self) -> None:
        while self.open and time.monotonic() - self._began < PATIENCE:
            for sock in list(self.open):
                if self._has_ended(sock):
                    self.open.remove(sock)
                    sock.close()
                    self.lived.append(time.monotonic() - self._began)

    def _has_ended(self, sock: socket.socket) -> bool:
        try:
            sock.sendall(self._drop)
            return sock.recv(4096) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


@pytest.mark.parametrize(
    ("what", "beginning", "drop"),
    [
        ("heads", b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\nX: ", b"a"),
        ("heads of POST", b"POST /uk/x HTTP/1.1\r\nHost: po.co\r\nX: ", b"a"),
        ("bodies", b"POST /uk/x HTTP/1.1\r\nHost: po.co\r\nContent-Length: 1000000\r\n\r\n", b"a"),
        ("blank lines", b"\r\n", b"\r\n"),
    ],
)
def test_clients_that_drip_are_ended_and_others_do_not_feel_it(
    start: Start, figure: Figure, what: str, beginning: bytes, drop: bytes
) -> None:
    server = start("--at", "2025-01-01", SUNSET_TIMEOUTS_KEEP_ALIVE="3s", **VARIABLES)
    slow = Dripping(server, beginning, drop)
    slow.start()
    worst = 0.0
    while slow.is_alive():
        asked = time.monotonic()
        assert server.tell(PLAIN).startswith(b"HTTP/1.1 301 ")
        worst = max(worst, time.monotonic() - asked)
    slow.join()
    assert not slow.open
    figure("T27", f"{SLOW} slow {what}: the last one ended after, s", f"{max(slow.lived):.1f}")
    figure("T27", f"{SLOW} slow {what}: slowest answer to others, ms", f"{worst * 1000:.0f}")


@pytest.mark.parametrize(("name", "options"), [("slow heads", ("-H",)), ("slow bodies", ("-B",))])
def test_slowhttptest_cannot_take_the_server_down(
    start: Start, figure: Figure, tool: str, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    server = start("--at", "2025-01-01", **VARIABLES)
    attack = (tool, *options, "-u", f"http://127.0.0.1:{server.port}/uk/x", "-c", "200", "-r", "100", "-i", "1")
    report = ("-l", "8", "-p", "2", "-g", "-o", str(tmp_path / "slow"))
    ran = subprocess.run([*attack, *report], capture_output=True, check=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout.decode(errors="replace"))
    (available,) = set(re.findall(r"service available:\s*(\w+)", said)[-1:])
    assert available == "YES", said
    figure("T27", f"slowhttptest, {name}: service available", available)


@pytest.fixture
def tool() -> str:
    found = shutil.which("slowhttptest")
    if found is None:
        assert os.environ.get("CI") != "true", "slowhttptest is not installed"
        pytest.skip("slowhttptest is not installed")
    return found
