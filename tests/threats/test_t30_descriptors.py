"""T30: somebody opens connections until the server may open no more files.

Some descriptors are kept back from clients; whoever comes when all others are taken is closed at once, and counted. The
connections that are there are answered all the time, and when some have gone there is room again.
"""

import contextlib
import resource
import socket

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start

FILES = 320
KEPT = 200
MANY = 400
PLAIN = b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\n\r\n"


def is_answered(sock: socket.socket) -> bool:
    try:
        sock.sendall(PLAIN)
        return sock.recv(4096).startswith(b"HTTP/1.1 301 ")
    except ConnectionError:
        return False


def answered_in_the_end(server: Running) -> bool:
    """Whether a new client is let in, once the server has noticed that others have gone."""
    for _ in range(int(PATIENCE * 100)):
        with server.connect() as sock:
            sock.settimeout(1.0)
            with contextlib.suppress(TimeoutError):
                if is_answered(sock):
                    return True
    return False


def test_there_are_descriptors_left_when_clients_have_taken_all_theirs(start: Start, figure: Figure) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * MANY)), hard))
    server = start("--workers", "1", "--at", "2025-01-01", files=FILES, SUNSET_LIMITS_DESCRIPTORS_KEPT=str(KEPT))
    with contextlib.ExitStack() as all_open:
        socks = [all_open.enter_context(server.connect()) for _ in range(MANY)]
        inside = [sock for sock in socks if is_answered(sock)]
        assert 0 < len(inside) <= FILES - KEPT
        assert all(is_answered(sock) for sock in inside)
        refused = server.series()["sunset_connections_refused_total", (("reason", "full"),)]
        assert refused == MANY - len(inside)
        for sock in inside[: len(inside) // 2]:
            sock.close()
        assert answered_in_the_end(server)
        figure("T30", f"{MANY} connections at {FILES} descriptors: answered, refused", f"{len(inside)}, {refused:.0f}")
