"""The README is tested: what it shows is what happens when it is typed.

Blocks marked `console` hold commands (`$ …`) and what they print; `…` stands for something that changes. A command that
ends in `&` is a server. Ports are exchanged for free ones.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from proxy.cli.app import app

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

TOP = Path(__file__).parent.parent.parent
README = (TOP / "README.md").read_text("utf-8")
WORDS = {"the old site": "forward", "the old site, its end announced": "forward+notice"}
PORTS = ("8080", "9900")


class Typed(NamedTuple):
    """A command and what it prints."""

    command: str
    printed: str


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    rows = README.partition(f"\n| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    assert rows
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def typed(block: str) -> list[Typed]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert parts[0] == ""
    return [Typed(*part.partition("\n")[::2]) for part in parts[1:]]


def expected(answer: str) -> str:
    """An answer of the first table in the short words of `tests:`."""
    return WORDS.get(answer) or " ".join(re.findall(r"`([^`]+)`", answer))


@pytest.mark.parametrize(("address", "date", "answer"), table("address"))
def test_the_first_table_tells_what_happens(here: Path, sunset: Run, address: str, date: str, answer: str) -> None:
    test = f'{{url: "{address.strip("`")}", at: {date}, expect: "{expected(answer)}"}}'
    file = here / "rules" / "poco-uk.yaml"
    file.write_text(file.read_text("utf-8").replace("\ntests:\n", f"\ntests:\n  - {test}\n", 1), "utf-8")
    ran = sunset("check")
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.fixture
def shell(here: Path) -> Iterator[Callable[[str], str]]:
    """Types a line, and returns what it prints."""
    with ExitStack() as stack:
        ports = dict(zip(PORTS, free_ports(), strict=True))
        function = f'sunset() {{ {shlex.quote(sys.executable)} -m proxy "$@"; }}; '
        environment = {**os.environ, "PYTHONPATH": str(TOP), "COLUMNS": "100"}

        def with_free_ports(text: str) -> str:
            return re.sub("|".join(PORTS), lambda found: ports[found[0]], text)

        def type_line(line: str) -> str:
            line = with_free_ports(line)
            if line.endswith("&"):
                stack.callback(stop, begin(line.removesuffix("&"), ports["9900"], here, environment))
                return ""
            ran = subprocess.run(
                ["bash", "-c", function + line],
                check=False,
                cwd=here,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert ran.stderr == ""
            return ran.stdout

        yield type_line


def free_ports() -> list[str]:
    with ExitStack() as stack:
        taken = [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in PORTS]
        return [str(sock.getsockname()[1]) for sock in taken]


def begin(line: str, admin: str, here: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Starts a server, and waits until it says that it listens."""
    name, *arguments = shlex.split(line)
    assert name == "sunset"
    command = [sys.executable, "-m", "proxy", *arguments, "--admin", f"127.0.0.1:{admin}"]
    process = subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "metrics on" not in (line := process.stderr.readline()):
        assert line
    return process


def stop(process: subprocess.Popen[str]) -> None:
    with process:
        process.terminate()


@pytest.mark.parametrize("block", blocks("console"))
def test_what_is_typed_prints_what_is_shown(shell: Callable[[str], str], block: str) -> None:
    for command, printed in typed(block):
        pattern = re.escape(printed.strip()).replace("…", r"\S+")
        shown = "\n".join(line.rstrip() for line in shell(command).splitlines()).strip()
        assert re.fullmatch(pattern, shown), f"$ {command}\n{shown}"


def test_the_whole_site_that_is_shown_is_well(here: Path, sunset: Run) -> None:
    site, notice = blocks("yaml")
    (here / "shown" / "notices").mkdir(parents=True)
    (here / "shown" / "notices" / "uk.md").write_text("# POCO UK is moving\n", "utf-8")
    (here / "shown" / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    for text in (site, notice + site.replace("expect: forward}", "expect: forward+notice}")):
        (here / "shown" / "site.yaml").write_text(text, "utf-8")
        ran = sunset("check", "shown", "--strict")
        assert (ran.returncode, ran.stderr) == (0, "")


def test_the_metrics_that_are_named_are_those_there_are(start: Start) -> None:
    process = start("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--at", "2025-01-01")
    assert process.stderr is not None
    said = process.stderr.readline() + process.stderr.readline()
    admin = re.search(r"http://(\S+)/metrics", said)
    assert admin is not None
    exposed = subprocess.run(["curl", "-s", f"http://{admin[1]}/metrics"], check=True, capture_output=True, text=True)
    families = re.findall(r"^# TYPE (sunset_\w+) ", exposed.stdout, re.MULTILINE)
    assert sorted(row[0].strip("`") for row in table("metric")) == sorted(families)


def test_the_two_commands_are_there() -> None:
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        subprocess.run(["make", "--dry-run", "--always-make", target], check=True, cwd=TOP, capture_output=True)


def test_every_command_that_is_named_is_one() -> None:
    known = {info.callback.__name__ for info in app.registered_commands if info.callback}
    known |= {str(group.name) for group in app.registered_groups}
    named = set(re.findall(r"sunset ([a-z]+)", " ".join(re.findall(r"`([^`\n]+)`", README))))
    assert named <= known | {"command"}


def test_every_file_that_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (TOP / link).exists(), link
