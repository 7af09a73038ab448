"""T44: workers die again and again, or a deployment sends reload after reload, and clients pay for it.

A worker that has died is replaced; somebody else answers meanwhile. Reloads that come together are one.
"""

import os
import signal

from tests.threats.conftest import Figure
from tests.threats.running import Running, Start, wait_until

DEATHS = 4
SIGNALS = 300
MOST_RELOADS = 30
"""So many would be a tenth of what was asked for; how many there are depends on how long the signals take to send."""


def workers(server: Running) -> set[int]:
    """The processes that accept."""
    return {worker["pid"] for worker in server.status()["workers"] if worker["accepts"] and worker["age"] == "current"}


def ask(server: Running) -> bool:
    """Whether a visitor on a connection of his own is redirected."""
    request = b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n"
    return server.tell(request).startswith(b"HTTP/1.1 301 ")


def test_somebody_answers_whoever_dies(start: Start, figure: Figure) -> None:
    server = start("--at", "2025-01-01", "--workers", "2", SUNSET_PROCESSES_RESTART_PAUSE="0.2")
    asked = answered = 0
    for death in range(1, DEATHS + 1):
        standing = wait_until(lambda: workers(server), lambda pids: len(pids) == 2)
        os.kill(min(standing), signal.SIGKILL)
        while sum("died after" in line for line in server.lines) < death:
            asked += 1
            answered += ask(server)
    wait_until(lambda: workers(server), lambda pids: len(pids) == 2)
    lost = asked - answered
    assert lost <= DEATHS  # one connection each may have been with the one that died
    assert ask(server)
    restarts = server.series()["sunset_worker_restarts_total", ()]
    assert restarts == DEATHS
    figure("T44", f"{DEATHS} workers killed: replaced; visitors meanwhile, lost", f"{restarts:.0f}; {asked}, {lost}")


def test_a_storm_of_reloads_is_a_few(start: Start, figure: Figure) -> None:
    server = start("--at", "2025-01-01", "--workers", "2", "--watch", "off")
    before = workers(server)
    for _ in range(SIGNALS):
        server.process.send_signal(signal.SIGHUP)
        assert ask(server)
    assert server.reload()[0] == 200
    reloads = sum("nothing has changed" in line for line in server.lines)
    assert 1 <= reloads <= MOST_RELOADS
    assert workers(server) == before  # the same rules, so the same workers
    figure("T44", f"{SIGNALS} reloads asked for at once, done; requests meanwhile that were lost", f"{reloads}, 0")
