"""What Sunset says to systemd, what it takes from it, and whether its units are good: systemd itself is not needed."""

from __future__ import annotations

import ctypes
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from proxy.edge.configuration.settings import Endpoint
from proxy.edge.processes.activation import handed_over
from proxy.edge.processes.notify import Notifier
from tests.edge.peers import get
from tests.processes.conftest import write_site
from tests.processes.program import PATIENCE, TOP, Load, Starting

UNITS = TOP / "deploy" / "systemd"
HAND_OVER = """\
import fcntl, os, sys
names, descriptors, command = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
kept = [fcntl.fcntl(int(descriptor), fcntl.F_DUPFD, 100) for descriptor in descriptors]
for number, descriptor in enumerate(kept):
    os.dup2(descriptor, 3 + number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(kept)), "LISTEN_FDNAMES": names}
os.execv(command[0], command)
"""
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1


class Manager:
    """The end of the socket at which systemd listens."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        self._socket.bind(address)

    def hear(self) -> dict[str, str]:
        """The next that it is told."""
        lines = self._socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def hear_of(self, what: str) -> dict[str, str]:
        """The next of a kind."""
        while what not in (heard := self.hear()):
            pass
        return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    yield found
    found.close()


async def test_systemd_hears_of_the_start_of_reloads_and_of_the_end(
    rules: Path, starting: Starting, manager: Manager, tmp_path: Path
) -> None:
    variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    program = await starting(rules, "--workers", "1", "--watch", "off", variables=variables, ready=False)
    ready = manager.hear_of("READY")
    await program.ready()
    await program.pids()
    assert (ready["READY"], ready["MAINPID"]) == ("1", str(program.process.pid))
    (generation,) = {worker["generation"] for worker in (await program.status())["workers"]}
    assert ready["STATUS"] == f"generation {generation}"

    for home, taken in (("gb", True), ("nowhere\nand: more", False)):
        write_site(rules, home)
        before = monotonic()
        program.process.send_signal(signal.SIGHUP)
        assert before * 1e6 <= int(manager.hear_of("RELOADING")["MONOTONIC_USEC"]) <= monotonic() * 1e6
        done = manager.hear_of("READY")
        assert ("refused" not in done["STATUS"]) is taken

    assert [manager.hear_of("WATCHDOG")["WATCHDOG"] for _ in range(3)] == ["1"] * 3
    program.terminate()
    assert manager.hear_of("STOPPING")["STOPPING"] == "1"
    assert await program.ended() == 0


def test_the_watchdog_hears_of_it_twice_as_often_as_it_asks_for(manager: Manager, tmp_path: Path) -> None:
    now = 100.0
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000", "PATH": "/bin"}
    with closing(Notifier(environment, lambda: now)) as notifier:
        assert environment == {"PATH": "/bin"}
        for now, due in ((100.0, 115.0), (101.0, 115.0), (115.0, 130.0), (200.0, 215.0)):  # noqa: B007 - the clock
            notifier.live()
            assert notifier.due == due
        notifier.stopping()
    assert [next(iter(manager.hear())) for _ in range(4)] == ["WATCHDOG"] * 3 + ["STOPPING"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "/nowhere/at/all"},
        {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "1"},
        {"NOTIFY_SOCKET": "@nobody-listens-here", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
)
def test_where_nobody_listens_nothing_is_said_and_nothing_fails(environment: dict[str, str]) -> None:
    with closing(Notifier(environment, lambda: 1.0)) as notifier:
        notifier.ready("generation x")
        notifier.reloading()
        notifier.live()
        notifier.stopping()
    assert (notifier.due, environment) == (None, {})


def hand_over(*names: str, descriptors: list[int]) -> list[str]:
    """The beginning of a command: what systemd does between its fork and the program."""
    return [sys.executable, "-c", HAND_OVER, ":".join(names), ",".join(map(str, descriptors))]


async def test_sockets_that_systemd_holds_refuse_nobody_while_the_server_is_started_again(
    rules: Path, starting: Starting
) -> None:
    with ExitStack() as stack:
        public = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        admin = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        descriptors = [public.fileno(), admin.fileno()]
        more: dict[str, Any] = {
            "launch": hand_over("http", "admin", descriptors=descriptors),
            "pass_fds": descriptors,
        }
        first = await starting(rules, "--workers", "2", **more)
        assert (first.port, first.admin) == (public.getsockname()[1], admin.getsockname()[1])
        assert first.found("listening on (.*)") == [f"http://127.0.0.1:{first.port}"]  # and on nothing else
        async with Load(first.port) as load:
            await load.some()
        first.terminate()
        assert await first.ended() == 0
        with socket.create_connection(("127.0.0.1", first.port), timeout=PATIENCE) as waiting:
            waiting.sendall(get(b"/x"))
            await starting(rules, "--workers", "2", **more)
            assert waiting.recv(4096).startswith(b"HTTP/1.1 301 ")


async def test_an_address_that_was_handed_over_more_than_once_is_shared_out(rules: Path, starting: Starting) -> None:
    with ExitStack() as stack:
        public = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64, reuse_port=True))
        more = [
            stack.enter_context(socket.create_server(public.getsockname(), backlog=64, reuse_port=True))
            for _ in range(2)
        ]
        descriptors = [sock.fileno() for sock in (public, *more)]
        launch = hand_over("http", "http", "http", descriptors=descriptors)
        program = await starting(rules, "--workers", "2", launch=launch, pass_fds=descriptors)
        async with Load(program.port, clients=4, fresh=True) as load:
            await load.some(400)  # one of the three sockets without a worker would be noticed
        assert load.failures == []
        assert (await program.status())["listeners"]["http"] == [f"127.0.0.1:{program.port}"]


async def test_what_cannot_be_used_of_what_was_handed_over_is_told(rules: Path, starting: Starting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as public, socket.socket(socket.AF_UNIX) as other:
        for name, descriptor, says in (
            ("sunset.socket", public.fileno(), 'by the name of "sunset.socket"'),
            ("http", other.fileno(), "no socket that listens for TCP connections"),
            ("https", public.fileno(), "needs a certificate"),
        ):
            launch = hand_over(name, descriptors=[descriptor])
            program = await starting(rules, ready=False, cwd=rules, launch=launch, pass_fds=[descriptor])
            assert await program.ended() == 1
            assert says in program.said()
            assert "Traceback" not in program.said()


def test_sockets_for_another_process_are_left_alone() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:admin", "PATH": "/bin"}
    assert handed_over(environment).http == ()
    assert environment == {"PATH": "/bin"}


async def test_it_needs_no_memory_that_can_be_written_and_run(rules: Path, starting: Starting) -> None:
    """What MemoryDenyWriteExecute= asks for, by the kernel's own means."""
    write_site(rules, rules="  - regex: ^/p-(\\d+)$\n    to: /uk/{1}\n")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_MDWE + 1, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel cannot be asked for it")
    program = await starting(
        rules, "--workers", "1", preexec_fn=lambda: libc.prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0)
    )
    assert (await program.ask(get(b"/p-7"))).one(b"Location") == b"https://www.mi.com/uk/7"
    assert (await program.reload())[0] == 200


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_likes_the_units(tmp_path: Path) -> None:
    asked = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True)
    version = int(asked.stdout.split()[1])
    for unit in UNITS.glob("sunset*.*"):
        text = unit.read_text("utf-8").replace("/opt/sunset/bin/sunset", "/bin/true")
        if version < 253:
            text = text.replace("Type=notify-reload", "Type=notify")
        (tmp_path / unit.name).write_text(text, "utf-8")
    units = [str(path) for path in sorted(tmp_path.glob("sunset*.*"))]
    assert len(units) >= 3
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("unit", ["sunset.service", "sunset-acme.service"])
def test_the_service_speaks_as_the_program_does(unit: str) -> None:
    service = (UNITS / unit).read_text("utf-8")
    command = re.search(r"^ExecStart=\S+/sunset (.*)$", service, re.MULTILINE)
    assert command is not None
    shown = subprocess.run(
        [sys.executable, "-m", "proxy", command[1].split()[0], "--help"],
        cwd=TOP,
        env={"COLUMNS": "200", "NO_COLOR": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(re.findall(r"--[a-z][a-z-]*", command[1])) <= set(re.findall(r"--[a-z][a-z-]*", shown))


def test_the_service_answers_on_every_address_of_the_machine() -> None:
    service = (UNITS / "sunset.service").read_text("utf-8")
    assert [Endpoint.parse(where) for where in re.findall(r"--listen (\S+)", service)] == [Endpoint("", 80)]
