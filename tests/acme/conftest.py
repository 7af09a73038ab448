"""Pebble, an ACME server made for tests, and the DNS that it asks: every name leads to this machine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.cli.conftest import here, start, sunset
from tests.edge.conftest import originating, serving
from tests.tls.conftest import certs

__all__ = ["certs", "here", "originating", "serving", "start", "sunset"]

PATIENCE = 30.0


@dataclass(frozen=True)
class Pebble:
    """A running one. `http_port` is where it looks for answers to challenges, in place of 80."""

    directory: str
    http_port: int
    trust: Path
    """Its own certificate's authority, for who asks it."""


@pytest.fixture(scope="session")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    if shutil.which("pebble") is None:
        assert os.environ.get("CI") != "true", "pebble is not installed"
        pytest.skip("pebble is not installed")
    folder = tmp_path_factory.mktemp("pebble")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "trust.pem")
    acme, management, http, tls, dns, unused = free_ports(6)
    configuration = {
        "listenAddress": f"127.0.0.1:{acme}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(folder / "cert.pem"),
        "privateKey": str(folder / "key.pem"),
        "httpPort": http,
        "tlsPort": tls,
    }
    (folder / "config.json").write_text(json.dumps({"pebble": configuration}))
    names = [
        *("pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{unused}"),
        *("-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""),
    ]
    server = ["pebble", "-config", str(folder / "config.json"), "-dnsserver", f"127.0.0.1:{dns}", "-strict"]
    # It would wait before it looks, and refuse good nonces now and then; that is the library's to be tested with.
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
    with (folder / "log").open("wb") as log:
        processes = [
            # They end with the tests, also where those are killed.
            subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], env=environment, stdout=log, stderr=log)
            for command in (names, server)
        ]
        try:
            wait_for(acme, processes)
            yield Pebble(f"https://localhost:{acme}/dir", http, folder / "trust.pem")
        finally:
            for process in processes:
                process.kill()
                process.wait()


@pytest.fixture
def trusted(pebble: Pebble, monkeypatch: pytest.MonkeyPatch) -> Pebble:
    """A running one whose own certificate this process takes."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pebble.trust))
    return pebble


def free_ports(count: int) -> list[int]:
    with_sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in with_sockets]
    for sock in with_sockets:
        sock.close()
    return ports


def wait_for(port: int, processes: list[subprocess.Popen[bytes]]) -> None:
    """Until somebody listens there."""
    while True:
        assert all(process.poll() is None for process in processes)
        with closing(socket.socket()) as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
