"""T43: a server is stopped or killed in the middle of its work, and leaves clients without answers, or itself behind.

Told to stop, it lets answers under way end, and goes with 0. Killed, it is gone with all its processes, and another one
has its address at once.
"""

import signal
import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import BinaryIO

from bench.process import tree
from tests.threats.conftest import Figure, Originating
from tests.threats.running import PATIENCE, Start, wait_until

UNDER_WAY = 20


def alive(pids: list[int]) -> list[int]:
    """Those that are still there, and do not just wait to be buried."""

    def lives(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return [pid for pid in pids if lives(pid)]


def test_it_stops_once_the_last_answer_is_given(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    released = Event()

    def waits(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"
        released.wait()
        yield b"done"

    server = start("--at", "2024-10-01", rules=origin(waits).rules(tmp_path))
    everybody = tree(server.process.pid)
    assert len(everybody) > 3
    with ExitStack() as stack:
        stack.callback(released.set)
        busy = [stack.enter_context(server.connect()) for _ in range(UNDER_WAY)]
        for sock in busy:
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: po.co\r\n\r\n")
        for sock in busy:
            assert sock.recv(12) == b"HTTP/1.1 200"
        idle = stack.enter_context(server.connect())
        server.process.send_signal(signal.SIGTERM)
        assert idle.recv(100) == b""
        assert server.process.poll() is None
        released.set()
        began = time.monotonic()
        for sock in busy:
            said = b""
            while received := sock.recv(4096):
                said += received
            assert said.endswith(b"halfdone")
    assert server.process.wait(PATIENCE) == 0
    wait_until(lambda: alive(everybody), lambda pids: not pids)
    took = (time.monotonic() - began) * 1000
    what = f"SIGTERM with {UNDER_WAY} answers under way: given, exit code, ms after the last"
    figure("T43", what, f"{UNDER_WAY}, 0, {took:.0f}")


def test_a_killed_one_is_gone_at_once_and_another_takes_its_place(start: Start, figure: Figure) -> None:
    server = start("--at", "2025-01-01")
    everybody = tree(server.process.pid)
    server.process.kill()
    server.process.wait(PATIENCE)
    began = time.monotonic()
    wait_until(lambda: alive(everybody), lambda pids: not pids)
    gone = time.monotonic() - began
    listen = f"127.0.0.1:{server.port}"
    again = start("--at", "2025-01-01", "--listen", listen)
    assert again.tell(b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 301 ")
    figure("T43", f"ms until all {len(everybody)} processes of a killed server are gone", f"{gone * 1000:.0f}")


def test_a_client_that_has_said_all_it_will_gets_its_answer(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    closed, released = 0, Event()

    def waits(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        released.wait()
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    rules = origin(waits).rules(tmp_path)
    for at, status in (("2024-10-01", b"200"), ("2025-01-01", b"301")):
        server = start("--at", at, rules=rules)
        with server.connect() as sock:
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: po.co\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
            released.set()
            assert sock.recv(4096)[9:12] == status
            closed += 1
    figure("T43", "half-closed clients, and how many of them were answered", f"2, {closed}")
