"""T17: somebody asks over the connection of one host for another's, to have it answered behind the wrong certificate.

What counts is which certificate the client was shown. A host for which another one would have been shown is 421; a name
that no certificate is for ends the handshake in an alert.
"""

import socket
import ssl
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start
from tests.tls.authority import issue, trusting

CERTIFICATES = (("po.co", "www.po.co"), ("po.co.id", "www.po.co.id"), ("poco.in",))
HOSTS = [host for names in CERTIFICATES for host in names]


def ask(server: Running, name: str | None, host: str) -> str:
    """The status that a host's request gets over a connection that asked for a name, or how the handshake ended."""
    context = trusting(checks_name=name is not None)
    with socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE) as sock:
        try:
            with context.wrap_socket(sock, server_hostname=name) as tls:
                tls.sendall(f"GET /id/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                return tls.recv(12).decode()[-3:]
        except ssl.SSLError as error:
            return error.reason


@pytest.fixture
def server(start: Start, tmp_path: Path) -> Running:
    certs = tmp_path / "certs"
    certs.mkdir()
    for names in CERTIFICATES:
        issue(*names).certbot(certs, names[0])
    return start("--at", "2025-01-01", "--listen-tls", "127.0.0.1:0", "--certs", str(certs))


def test_a_host_is_answered_behind_its_own_certificate_alone(server: Running, figure: Figure) -> None:
    seen: Counter[str] = Counter()
    for name, host in product(HOSTS, HOSTS):
        status = ask(server, name, host)
        same = any({name, host} <= set(names) for names in CERTIFICATES)
        assert (status == "421") is not same, (name, host, status)
        seen["another certificate's, all 421" if status == "421" else "the same certificate's"] += 1
    for what, count in sorted(seen.items()):
        figure("T17", f"hosts asked for over a connection of {what}", count)


def test_a_name_without_certificate_gets_an_alert_and_no_connection(server: Running, figure: Figure) -> None:
    for name in (None, "www.poco.in", "a.po.co", "elsewhere.example"):
        assert ask(server, name, "po.co") == "TLSV1_UNRECOGNIZED_NAME"
    figure("T17", "an unknown name, or none, without a default certificate", "alert unrecognized_name")
