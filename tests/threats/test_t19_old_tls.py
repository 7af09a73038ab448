"""T19: somebody speaks old TLS, weak ciphers, compression or renegotiation, or nothing that is TLS at all."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start
from tests.tls.authority import issue

WARM = 500
HANDSHAKES = 1000
MOST_GROWTH = 5.0
"""MiB; memory of the allocator goes up and down a little."""


def start_with_certificate(start: Start, folder: Path) -> Running:
    certs = folder / "certs"
    certs.mkdir()
    issue("po.co").certbot(certs, "po.co")
    return start("--workers", "1", "--at", "2025-01-01", "--listen-tls", "127.0.0.1:0", "--certs", str(certs))


def test_sslscan_finds_nothing_old_or_weak(start: Start, tmp_path: Path, figure: Figure) -> None:
    if shutil.which("sslscan") is None:
        pytest.skip("sslscan is not installed; tests/tls says so in CI")
    server = start_with_certificate(start, tmp_path)
    command = ["sslscan", "--no-colour", "--sni-name=po.co", f"127.0.0.1:{server.tls_port}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=2 * PATIENCE).stdout
    lines = [" ".join(line.split()) for line in said.splitlines()]
    states = dict(line.split() for line in lines if line.endswith((" enabled", " disabled")))
    assert states == {
        **dict.fromkeys(("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"), "disabled"),
        **dict.fromkeys(("TLSv1.2", "TLSv1.3"), "enabled"),
    }
    assert "Session renegotiation not supported" in lines
    figure("T19", "sslscan, versions that are spoken", ", ".join(name for name in states if states[name] == "enabled"))
    figure("T19", "sslscan, ciphers that are taken", sum(line.startswith(("Preferred", "Accepted")) for line in lines))


def test_handshakes_that_are_none_leave_nothing_behind(start: Start, tmp_path: Path, figure: Figure) -> None:
    server = start_with_certificate(start, tmp_path)
    garbage = (
        b"\x16\x03\x01\x00\xff" + b"\xff" * 255,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x80\x2e\x01\x00\x02",
        b"\x00" * 64,
    )

    def send(times: int) -> None:
        for number in range(times):
            with socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE) as sock:
                sock.sendall(garbage[number % len(garbage)])
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(100):
                    pass

    send(WARM)
    before, said = server.memory(), len(server.lines)
    send(HANDSHAKES)
    after = server.memory()
    assert after - before < MOST_GROWTH
    assert server.lines[said:] == []
    figure("T19", f"memory before and after {HANDSHAKES:,} handshakes that are none, MiB", f"{before:.1f}, {after:.1f}")
