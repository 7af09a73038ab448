"""`sunset demo`, run as its users run it: what it prints works, and its shop holds together behind Sunset."""

import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., subprocess.Popen[Any]]

TOP = Path(__file__).parent.parent.parent
NEW_HOMES = ("https://www.mi.com/", "https://www.mi.co.id/")


@dataclass(frozen=True)
class Demo:
    """A running demo: everything it printed, and its port."""

    said: str
    port: int

    @property
    def addresses(self) -> list[tuple[str, str]]:
        """Host and path of each address that it says to open."""
        return re.findall(r"^  http://([^:/\s]+):\d+(/\S*)$", self.said, re.MULTILINE)

    @property
    def commands(self) -> list[str]:
        """Each command that it says to paste."""
        return [line.strip() for line in self.said.splitlines() if re.match(r"  (?!http|#)\S", line)]

    def get(self, host: str, path: str) -> tuple[int, str, str]:
        """Status, Location and body of a page."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status, response.headers["Location"] or "", response.read().decode()

    def pages(self) -> dict[tuple[str, str], tuple[int, str]]:
        """Status and Location of every page that links lead to from the addresses to open."""
        queue = list(self.addresses)
        answered: dict[tuple[str, str], tuple[int, str]] = {}
        while queue:
            host, path = address = queue.pop()
            if address in answered or path.endswith(("/cart/add", "/cart/empty")) or "/.sunset/dismiss?" in path:
                continue
            status, location, body = self.get(host, path)
            answered[address] = (status, location)
            for other, link in re.findall(r'(?:href|action)="(?://([^/":]+)(?::\d+)?)?(/[^"]*)"', body):
                queue.append((other or host, link))
        return answered


@pytest.fixture
def demo(start: Start) -> Callable[..., Demo]:
    """Starts a demo on any free ports."""

    def begin(*arguments: str) -> Demo:
        ports = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
        said = read(start("demo", *arguments, *ports))
        port = re.search(r"localhost:(\d+)/", said)
        assert port is not None
        return Demo(said, int(port[1]))

    return begin


def read(process: subprocess.Popen[str]) -> str:
    """What a demo prints until it is done with it."""
    assert process.stdout is not None
    said = ""
    while "Ctrl-C ends it" not in said:
        line = process.stdout.readline()
        assert line, said + (process.stderr.read() if process.stderr else "")
        said += line
    return said


def test_it_begins_in_the_notice_phase_with_an_address_of_every_site(demo: Callable[..., Demo]) -> None:
    running = demo()
    assert "clock shows 2024-11-30 17:00:00 UTC" in running.said
    assert sorted(running.addresses) == [
        ("po.co.id.localhost", "/id/"),
        ("po.co.localhost", "/fr/"),
        ("po.co.localhost", "/global/"),
        ("po.co.localhost", "/uk/"),
        ("poco.in.localhost", "/"),
    ]
    assert [running.get(*address)[0] for address in running.addresses] == [200] * 5


def test_while_shopping_is_open_every_link_leads_to_a_page(demo: Callable[..., Demo]) -> None:
    pages = demo("--at", "2024-10-15").pages()
    assert {address: answer for address, answer in pages.items() if answer != (200, "")} == {}
    assert len(pages) > 200


def test_once_it_is_closed_only_what_the_rules_say_leads_away(demo: Callable[..., Demo]) -> None:
    away = {address: answer for address, answer in demo().pages().items() if answer[0] != 200}
    assert {status for status, _ in away.values()} == {302}
    assert {path.split("/")[2] for _, path in away} == {"cart"}
    assert all(location.startswith(NEW_HOMES) for _, location in away.values())


def test_after_the_cutover_every_page_of_a_closed_site_leads_to_the_new_one(demo: Callable[..., Demo]) -> None:
    running = demo("--at", "2025-01-01")
    assert running.get("po.co.localhost", "/uk/product/poco-f5")[1] == "https://www.mi.com/uk/product/poco-f5-5g/"
    for host, path in running.addresses:
        status, location, _ = running.get(host, path)
        assert (status, location.startswith(NEW_HOMES)) == ((200, False) if host.startswith("poco.in") else (301, True))


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_what_it_says_to_paste_works(demo: Callable[..., Demo], here: Path) -> None:
    running = demo()
    ran = []
    for command in running.commands:
        if " demo " in command:
            assert demo(*shlex.split(command.partition(" demo ")[2])).addresses
            ran.append("demo")
            continue
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            check=False,
            cwd=here,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout
        ran.append(command.split()[0].rpartition("/")[2])
    assert ran[:3] == ["curl", "curl", "curl"]
    assert ran.count("demo") == 2
    assert len(ran) == 6


def test_a_port_that_is_taken_is_replaced_and_said(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("demo", "--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0")
        said = read(process)
    assert f"localhost:{port}/" not in said
    process.terminate()
    assert process.wait(40) == 0
    assert process.stderr is not None
    assert f"127.0.0.1:{port} is taken" in process.stderr.read()


def test_rules_of_ones_own_can_be_shown(demo: Callable[..., Demo], here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "rulebook.yaml").write_text("targets: [new.example]\n", "utf-8")
    (here / "mine" / "a.yaml").write_text(
        "site: acme\nhosts: ['*.acme.example']\nmoves_to: https://new.example\n", "utf-8"
    )
    running = demo("--rules", "mine")
    assert running.addresses == [("www.acme.example.localhost", "/")]
    assert running.get("www.acme.example.localhost", "/x")[:2] == (301, "https://new.example/x")
    assert all("--rules mine" in command for command in running.commands if "proxy" in command)


def test_an_interrupt_ends_it_quietly(start: Start) -> None:
    process = start("demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    read(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
