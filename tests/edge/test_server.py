"""Starting, listening and stopping: in this process, and as one that gets signals."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.edge.configuration.settings import Endpoint, Settings, SettingsError, Timeouts
from proxy.edge.server import Server
from tests.edge.conftest import ANY_PORT
from tests.edge.peers import Client, Originating, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:8080", Endpoint("127.0.0.1", 8080)),
        ("[::1]:80", Endpoint("::1", 80)),
        (":0", Endpoint("", 0)),
        ("localhost:9900", Endpoint("localhost", 9900)),
        ("10.0.0.1:80+proxy", Endpoint("10.0.0.1", 80, introduced=True)),
        ("[::1]:80+proxy", Endpoint("::1", 80, introduced=True)),
    ],
)
def test_an_address_to_listen_on(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(
    "text", ["", "8080", "127.0.0.1", "::1:80", "a:b", "a:65536", "a:-1", "http://a:1", "[::1]", "a:1+"]
)
def test_what_is_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(SettingsError, match="no address with a port"):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("", False), ("0.0.0.0", False)],  # noqa: S104
)
def test_what_only_this_machine_can_reach(host: str, *, loopback: bool) -> None:
    assert Endpoint(host, 1).is_loopback is loopback


async def test_it_listens_on_every_address_that_it_is_given(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, listen=(ANY_PORT, ANY_PORT, Endpoint("", 0)))
    assert len({address.port for address in server.addresses}) == 3
    for address in server.addresses:
        async with await Client.connect("127.0.0.1", address.port) as client:
            client.send(get(b"/x"))
            assert (await client.answer()).status == 301


async def test_a_client_on_ipv6_is_served_and_named(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    try:
        server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, listen=(Endpoint("::1", 0),))
    except SettingsError:
        pytest.skip("no IPv6 on this machine")
    assert (await ask(server, get(b"/"))).status == 200
    assert origin.received[0].all(b"X-Forwarded-For") == [b"::1"]
    assert origin.received[0].all(b"Forwarded") == [b'for="[::1]";host=po.co;proto=http']


async def test_an_address_in_use_is_said_to_be(serving: Serving) -> None:
    server = await serving(rulebook())
    with pytest.raises(SettingsError, match=r"cannot listen on 127\.0\.0\.1:\d+: the address is in use"):
        await serving(rulebook(), listen=server.addresses)


async def test_a_host_that_is_not_of_this_machine_is_said_to_be_so(serving: Serving) -> None:
    with pytest.raises(SettingsError, match="no such address"):
        await serving(rulebook(), listen=(Endpoint("192.0.2.1", 0),))
    with pytest.raises(SettingsError, match="no address of this machine"):
        await serving(rulebook(), listen=(Endpoint("nowhere.invalid", 0),))


async def test_a_start_that_fails_leaves_nothing_behind(serving: Serving) -> None:
    taken = await serving(rulebook())
    with socket.create_server(("127.0.0.1", 0)) as sock:
        free = Endpoint("127.0.0.1", sock.getsockname()[1])
    with pytest.raises(SettingsError):
        await serving(rulebook(), listen=(free, *taken.addresses))
    await serving(rulebook(), listen=(free,))


async def test_answers_under_way_end_and_idle_connections_close_when_it_stops(originating: Originating) -> None:
    origin = await originating(hold=True)
    server = Server(rulebook(forwarding(origin.origin)), Settings(listen=(ANY_PORT,), admin=None, at=BEFORE))
    await server.start()
    async with await Client.to(server) as idle, await Client.to(server) as busy:
        busy.send(get(b"/slow"))
        await origin.asked.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.stop())
            assert await idle.rest() == b""
            with pytest.raises(ConnectionRefusedError):
                await Client.to(server)
            origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
            answer = await busy.answer()
            assert answer.body == b"done"
            assert answer.one(b"Connection") == b"close"
            assert await busy.rest() == b""


async def test_an_answer_that_takes_too_long_is_cut_off_when_it_stops(originating: Originating) -> None:
    origin = await originating(hold=True)
    settings = Settings(listen=(ANY_PORT,), admin=None, at=BEFORE, timeouts=Timeouts(stop=0.05))
    server = Server(rulebook(forwarding(origin.origin)), settings)
    await server.start()
    async with await Client.to(server) as busy:
        busy.send(get(b"/slow"))
        await origin.asked.wait()
        async with asyncio.timeout(5):
            await server.stop()
        assert await busy.rest() == b""


SERVE = textwrap.dedent(
    """
    import asyncio, sys
    from proxy.edge import server
    from proxy.edge.log import log_to_stderr
    from proxy.edge.configuration.settings import Endpoint, Settings, Timeouts
    from tests.edge.sites import AFTER, rulebook

    def started(running):
        print(type(asyncio.get_running_loop()).__module__, *running.addresses, running.admin_address, flush=True)

    log_to_stderr()
    listen = (Endpoint.parse(sys.argv[1]),)
    settings = Settings(listen=listen, admin=Endpoint("127.0.0.1", 0), at=AFTER)
    server.run(rulebook(), settings, started=started)
    """
)


@contextmanager
def running(listen: str = "127.0.0.1:0") -> Iterator[subprocess.Popen[str]]:
    top = Path(__file__).parent.parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, listen],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(top)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_on_uvloop_and_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    with running() as process:
        assert process.stdout is not None
        loop, address, admin = process.stdout.readline().split()
        assert loop.startswith("uvloop")
        port = Endpoint.parse(address).port
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(get(b"/x?y=1"))
            assert b"\r\nLocation: https://www.mi.com/uk/x?y=1\r\n" in client.recv(4096)
            process.send_signal(number)
            assert client.recv(4096) == b""
        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        said = process.stderr.read()
    assert f"listening on http://{address}" in said
    assert f"metrics on http://{admin}/metrics" in said
    assert "rehearsing: the clock shows 2025-01-01T00:00:00+00:00" in said
    assert "stopped" in said
    assert "Traceback" not in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen on any port")
def test_a_port_that_needs_root_is_said_to_be_so() -> None:
    with running("127.0.0.1:81") as process:
        assert process.wait(timeout=10) != 0
        assert process.stderr is not None
        assert "needs root or CAP_NET_BIND_SERVICE" in process.stderr.read()
