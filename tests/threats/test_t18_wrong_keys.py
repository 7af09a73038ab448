"""T18: a renewal goes wrong: another key, half a file, none, while clients come in all the time.

What was good stays in use until what is new is good, and nobody is turned away in between.
"""

import socket
import ssl
import threading
import time
from itertools import cycle, islice
from pathlib import Path

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start
from tests.tls.authority import Files, issue, trusting

SWAPS = 12
CLIENTS = 3


def shown(server: Running) -> bytes:
    """The certificate that a client is shown, in PEM, once it has been answered."""
    with (
        socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE) as sock,
        trusting().wrap_socket(sock, server_hostname="po.co") as tls,
    ):
        tls.sendall(b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\n\r\n")
        assert tls.recv(12) == b"HTTP/1.1 301"
        certificate = tls.getpeercert(binary_form=True)
        assert certificate is not None
        return ssl.DER_cert_to_PEM_cert(certificate).encode()


def warnings(server: Running) -> int:
    """How often it was told that new files are wrong."""
    return sum("stays in use" in line for line in server.lines)


def until_warned(server: Running, before: int) -> None:
    """Be a client of the server until it has told once more that new files are wrong."""
    began = time.monotonic()
    while warnings(server) == before:
        shown(server)
        assert time.monotonic() - began < PATIENCE, "".join(server.lines)


def until_shown(server: Running, files: Files) -> None:
    """Be a client of the server until it shows a certificate."""
    began = time.monotonic()
    while shown(server) not in files.chain:
        assert time.monotonic() - began < PATIENCE, "".join(server.lines)


class Clients:
    """Make handshakes, one after the other, until they are told to end."""

    def __init__(self, server: Running) -> None:
        self.made = 0
        self.failed: list[Exception] = []
        self._server = server
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        while not self._ends.is_set():
            try:
                shown(self._server)
                self.made += 1
            except (OSError, AssertionError) as error:
                self.failed.append(error)


def test_no_handshake_fails_while_good_and_bad_files_come_and_go(start: Start, tmp_path: Path, figure: Figure) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    good = [issue("po.co") for _ in range(2)]
    bad = [Files(good[0].chain, issue("po.co").key), Files(good[0].chain[:900], good[0].key), Files(b"", good[0].key)]
    good[0].plain(certs, "po.co")
    settings = ("--at", "2025-01-01", "--listen-tls", "127.0.0.1:0", "--certs", str(certs))
    server = start(*settings, SUNSET_TIMEOUTS_CERTIFICATES="0.05")
    clients = Clients(server)
    try:
        for new, wrong in islice(zip(cycle(reversed(good)), cycle(bad), strict=False), SWAPS):
            told = warnings(server)
            wrong.plain(certs, "po.co")
            until_warned(server, told)
            new.plain(certs, "po.co")
            until_shown(server, new)
    finally:
        clients.end()
    assert clients.failed == []
    assert server.process.poll() is None
    figure("T18", f"handshakes made and failed during {SWAPS} swaps and as many wrong files", f"{clients.made}, 0")
