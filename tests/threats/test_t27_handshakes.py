"""T27: somebody opens connections to where TLS is spoken, and does not go on with the handshake.

No byte of HTTP ever comes of them, so nothing that counts requests or connections that are in would see them. They are
counted from the first instant, by client and in all, and their time is short.
"""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start
from tests.tls.authority import issue, trusting

OPENED = 300
MOST = 100
OF_ONE = 60


def connect(server: Running, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE, source_address=(source, 0))


def is_answered(server: Running, source: str) -> bool:
    try:
        with connect(server, source) as sock, trusting().wrap_socket(sock, server_hostname="po.co") as tls:
            tls.sendall(b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\n\r\n")
            return tls.recv(12) == b"HTTP/1.1 301"
    except OSError:
        return False


def refused(server: Running, reason: str) -> float:
    return server.series().get(("sunset_connections_refused_total", (("reason", reason),)), 0.0)


def test_handshakes_that_do_not_go_on_are_few_and_short(start: Start, tmp_path: Path, figure: Figure) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    issue("po.co").certbot(certs, "po.co")
    server = start(
        *("--at", "2025-01-01", "--listen-tls", "127.0.0.1:0", "--certs", str(certs)),
        SUNSET_WORKERS="1",  # each has limits of its own
        SUNSET_LIMITS_ARRIVING=str(MOST),
        SUNSET_LIMITS_CLIENT_ARRIVING=str(OF_ONE),
    )
    assert is_answered(server, "127.0.0.1")
    before = server.memory()
    with ExitStack() as open_ones:
        began = time.monotonic()
        for source in ("127.0.0.1", "127.0.0.2"):
            for number in range(OPENED // 2):
                sock = open_ones.enter_context(connect(server, source))
                if number % 2:
                    sock.send(b"\x16\x03\x01\x02\x00\x01")
            assert is_answered(server, "127.0.0.3") is (source == "127.0.0.1")
        assert refused(server, "client") == OPENED // 2 - OF_ONE
        assert refused(server, "full") == OPENED // 2 - (MOST - OF_ONE) + 1
        figure("T27", f"{OPENED} handshakes that do not go on: held, with at most {MOST}, {OF_ONE} a client", MOST)
        figure("T27", "memory for those, MiB", f"{server.memory() - before:.1f}")
        while not is_answered(server, "127.0.0.1"):
            assert time.monotonic() - began < PATIENCE
        figure("T27", "seconds until their client is answered again", f"{time.monotonic() - began:.1f}")
