"""Processes that were forked from one share its tickets: a client that comes to another worker resumes its session."""

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.peers import get
from tests.tls.authority import issue, trusting

TOP = Path(__file__).parent.parent.parent
PATIENCE = 60.0
WORKERS = """
import asyncio, os, sys
from pathlib import Path
from proxy.edge.tls.certificates import Certificates
from proxy.edge.server import Server
from proxy.edge.configuration.settings import Endpoint, Settings
from tests.edge.sites import AFTER, rulebook

certificates = Certificates(Path(sys.argv[1]))
certificates.refresh()
settings = Settings(listen=(), listen_tls=(Endpoint("127.0.0.1", 0),), admin=None, at=AFTER)

async def work() -> None:
    async with Server(rulebook(), settings, certificates=certificates) as server:
        os.write(1, b"%d\\n" % server.tls_addresses[0].port)  # whole, as the other one writes too
        await asyncio.to_thread(sys.stdin.read)

os.fork()
asyncio.run(work())
"""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_begun_with_one_worker_is_resumed_with_another(certs: Path, version: ssl.TLSVersion) -> None:
    issue("po.co").plain(certs, "po.co")
    context = trusting()
    context.maximum_version = version
    with subprocess.Popen(
        [sys.executable, "-c", WORKERS, str(certs)], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as workers:
        assert workers.stdin is not None
        assert workers.stdout is not None
        ports = [int(workers.stdout.readline()) for _ in range(2)]
        session, resumed = ask(context, ports[0], None)
        assert not resumed
        assert ask(context, ports[1], session)[1]
        workers.stdin.close()


def ask(context: ssl.SSLContext, port: int, session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool]:
    """The session of one request, and whether it is the one that was offered."""
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as sock,
        context.wrap_socket(sock, server_hostname="po.co", session=session) as tls,
    ):
        tls.sendall(get(b"/x"))
        assert tls.recv(12) == b"HTTP/1.1 301"
        return tls.session, bool(tls.session_reused)
