"""The help is tested: what it shows is what happens. So is the program as a whole: border, speed, colours."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from proxy import __version__
from proxy.cli.app import app
from proxy.edge.tls.self_signed import write

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

COMMANDS = (
    "serve",
    "demo",
    "check",
    "explain",
    "audit",
    "settings",
    "schema",
    "health",
    "status",
    "reload",
    "acme",
    "certs",
)
BELOW = ("certs self-signed",)
RUNNING = ("serve", "demo", "health", "status", "reload", "acme")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOSTS = ("po.co", "po.co.id", "poco.in")
FILES = {
    "paths.txt": "/uk/\n/uk/cart\n",
    "pages.csv": "url,clicks\nhttps://po.co/uk/poco-f1/,90\n",
    "sitemap.xml": "<urlset><url><loc>https://po.co/uk/</loc></url></urlset>\n",
}
HEAVY = (
    "aiohttp",
    "yaml",
    "pydantic",
    "re2",
    "prometheus_client",
    "orjson",
    "proxy.core",
    "proxy.rulebook",
    "proxy.edge",
)


def examples(sunset: Run, command: str) -> list[str]:
    """What the help of a command shows, as it is read on a terminal of usual width."""
    shown = sunset(*command.split(), "--help", COLUMNS="80").stdout
    found = [line.strip() for line in shown.partition("Examples:")[2].splitlines() if line.strip()]
    assert found
    assert all("sunset " in line for line in found), "an example is too long for one line"
    return found


def test_every_command_is_listed(sunset: Run) -> None:
    ran = sunset("--help")
    assert ran.returncode == 0
    assert tuple(re.findall(r"^│ (\w+) ", ran.stdout, re.MULTILINE)) == COMMANDS
    commands = [str(info.callback.__name__) for info in app.registered_commands if info.callback]
    assert sorted([*commands, *(str(group.name) for group in app.registered_groups)]) == sorted(COMMANDS)


@pytest.mark.parametrize("command", [*(command for command in COMMANDS if command not in RUNNING), *BELOW])
def test_every_example_of_the_help_runs(sunset: Run, here: Path, command: str) -> None:
    for name, text in FILES.items():
        (here / name).write_text(text, "utf-8")
    write(here / "certs", [*HOSTS, *(f"www.{host}" for host in HOSTS)], now=NOW, days=9999)
    function = f'sunset() {{ {shlex.quote(sys.executable)} -m proxy "$@"; }}; set -o pipefail; '
    for example in examples(sunset, command):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
        ran = subprocess.run(
            ["bash", "-c", function + example], check=False, cwd=here, env=environment, capture_output=True, text=True
        )
        assert (ran.returncode, ran.stderr) == (0, ""), example


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_every_example_that_runs_a_server_runs_and_is_found_well(
    sunset: Run, start: Start, here: Path, command: str
) -> None:
    write(here / "certs", ["po.co"], now=NOW, days=9999)
    for example in examples(sunset, command):
        name, *arguments = shlex.split(example)
        assert name == "sunset"
        any_port = [re.sub(r":8[04]\d\d$", ":0", argument) for argument in arguments]
        listen = [] if "--listen" in any_port else ["--listen", "127.0.0.1:0"]
        process = start(*any_port, *listen, "--admin", "127.0.0.1:0", stderr=subprocess.STDOUT)
        assert process.stdout is not None
        said = ""
        while (admin := re.search(r"http://(127\.0\.0\.1:\d+)/metrics", said)) is None:
            line = process.stdout.readline()
            assert line, said
            said += line
        for health in examples(sunset, "health"):
            _, *asked = shlex.split(health)
            assert sunset(asked[0], "--admin", admin[1]).returncode == 0
        process.terminate()
        assert process.wait(40) == 0


def test_the_version(sunset: Run) -> None:
    ran = sunset("--version")
    assert (ran.returncode, ran.stdout) == (0, f"sunset {__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands_and_options(sunset: Run, shell: str) -> None:
    words = {"bash": {"COMP_WORDS": "sunset ex", "COMP_CWORD": "1"}}.get(
        shell, {"_TYPER_COMPLETE_ARGS": "sunset ex", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    )
    ran = sunset(_SUNSET_COMPLETE=f"complete_{shell}", **words)
    assert "explain" in ran.stdout


def test_help_stays_quick_because_nothing_heavy_is_imported(sunset: Run) -> None:
    program = "import sys; from proxy.cli.app import app; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert [module for module in loaded if module.startswith(HEAVY)] == []
    assert sunset("--help").returncode == 0


def test_without_a_command_the_help_is_shown(sunset: Run) -> None:
    ran = sunset()
    assert ran.returncode == 2
    assert "explain" in ran.stdout + ran.stderr


def test_a_slip_in_a_command_is_answered_with_the_right_one(sunset: Run) -> None:
    ran = sunset("explian", "po.co")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Did you mean 'explain'?" in ran.stderr


def test_the_schema_is_draft_7_and_of_rule_files(sunset: Run) -> None:
    schema = json.loads(sunset("schema").stdout)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_colour_is_for_terminals_and_never_with_no_color(sunset: Run, on_terminal: Run) -> None:
    for arguments in (("check",), ("check", "nowhere"), ("explain", "po.co", "--at", "2025-01-01")):
        assert "\x1b[" in on_terminal(*arguments).stdout, arguments
        assert "\x1b[" not in on_terminal(*arguments, NO_COLOR="1").stdout, arguments
        ran = sunset(*arguments)
        assert "\x1b[" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("command", ["check", "schema", "explain po.co", "audit pages.csv --format csv"])
def test_a_reader_that_is_gone_is_no_error(start: Start, here: Path, command: str) -> None:
    (here / "pages.csv").write_text(FILES["pages.csv"], "utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*command.split(), stdout=writer)
    os.close(writer)
    assert process.wait(60) == 128 + signal.SIGPIPE
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_a_report_that_cannot_be_written_is_told_without_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "proxy", "schema"], check=False, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ran.returncode == 1
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr
