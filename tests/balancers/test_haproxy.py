"""HAProxy in front, which invented the PROXY protocol: in whatever way it tells who the client is, it is believed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.threats.origins import Origin
from tests.threats.running import PATIENCE, Running
from tests.tls.authority import issue, trusting

CONFIGURATION = Path(__file__).with_name("haproxy.cfg")
WAYS = ("line", "binary", "everything", "ended-tls", "passed-tls", "checked", "http")
OVER_TLS = {"ended-tls", "passed-tls", "http"}
CLIENT = "127.0.0.2"
"""Where clients connect from; HAProxy itself does from 127.0.0.1."""


def ok(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin(ok) as running:
        yield running


@pytest.fixture(scope="module")
def ways(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, int]]:
    """The ports of HAProxy, by the way in which it goes on to Sunset."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        assert os.environ.get("CI") != "true", "haproxy is not installed"
        pytest.skip("haproxy is not installed")
    folder = tmp_path_factory.mktemp("haproxy")
    files = issue("po.co")
    (folder / "certs").mkdir()
    files.plain(folder / "certs", "po.co")
    certificate = folder / "haproxy.pem"
    certificate.write_bytes(files.chain + files.key)
    with ExitStack() as stack:
        listeners = ("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0+proxy", "--listen-tls", "127.0.0.1:0+proxy")
        arguments = ("--at", "2024-10-01", *listeners)
        certs = ("--certs", str(folder / "certs"), "--trusted-proxy", "127.0.0.1")
        running = Running(folder, (*arguments, *certs), rules=origin.rules(folder), variables={})
        sunset = stack.enter_context(running)
        plain, introduced = re.findall(r"listening on http://127\.0\.0\.1:(\d+)", "".join(sunset.lines))
        (introduced_tls,) = re.findall(r"listening on https://127\.0\.0\.1:(\d+)", "".join(sunset.lines))
        sockets = {way: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for way in WAYS}
        values: dict[str, object] = {way: sock.fileno() for way, sock in sockets.items()}
        values |= {"plain": plain, "introduced": introduced, "introduced_tls": introduced_tls}
        text = CONFIGURATION.read_text("ascii").format(certificate=certificate, **values)
        (folder / "haproxy.cfg").write_text(text, "ascii")
        command = [program, "-db", "-f", str(folder / "haproxy.cfg")]
        haproxy = stack.enter_context(subprocess.Popen(command, pass_fds=[sock.fileno() for sock in sockets.values()]))
        stack.callback(haproxy.kill)
        yield {way: sock.getsockname()[1] for way, sock in sockets.items()}


@pytest.mark.parametrize("way", WAYS)
def test_the_origin_is_told_the_client_and_its_scheme(ways: Mapping[str, int], origin: Origin, way: str) -> None:
    with ExitStack() as stack:
        address = ("127.0.0.1", ways[way])
        client: socket.socket = socket.create_connection(address, timeout=PATIENCE, source_address=(CLIENT, 0))
        if way in OVER_TLS:
            client = trusting().wrap_socket(client, server_hostname="po.co")
        stack.enter_context(client)
        for number in range(2):
            client.sendall(f"GET /{way}/{number} HTTP/1.1\r\nHost: po.co\r\n\r\n".encode())
            answer = b""
            while not answer.endswith(b"ok"):
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
    scheme = b"https" if way in OVER_TLS else b"http"
    heads = [head for head in origin.heads if head.startswith(b"GET /%b/" % way.encode())]
    assert len(heads) == 2
    for head in heads:
        chain = b"127.0.0.2, 127.0.0.1" if way == "http" else b"127.0.0.2"
        assert b"X-Forwarded-For: %b\r\n" % chain in head
        assert b"X-Forwarded-Proto: %b\r\n" % scheme in head


def test_its_checks_are_of_its_own(ways: Mapping[str, int], origin: Origin) -> None:
    with socket.create_connection(("127.0.0.1", ways["checked"]), timeout=PATIENCE) as client:
        while not any(head.startswith(b"GET /checked ") for head in origin.heads):
            client.sendall(b"GET /wait HTTP/1.1\r\nHost: po.co\r\n\r\n")
            assert client.recv(65536)
    check = next(head for head in origin.heads if head.startswith(b"GET /checked "))
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in check
