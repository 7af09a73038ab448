"""`sunset reload` and `sunset status`, asked of a server that runs."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

NOBODY = ("--admin", "127.0.0.1:1")


@pytest.fixture
def admin(start: Start) -> tuple[str, str]:
    """Where the admin listener is of a server that loads rules when it is asked to."""
    arguments = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "2", "--watch", "off")
    return "--admin", where(start("serve", *arguments, "--at", "2024-12-01", stdout=subprocess.DEVNULL))


def where(process: subprocess.Popen[str]) -> str:
    stream = process.stderr or process.stdout
    assert stream is not None
    while (found := re.search(r"http://(\S+)/metrics", line := stream.readline())) is None:
        assert line
    return found[1]


def test_a_reload_says_what_became_of_it(sunset: Run, here: Path, admin: tuple[str, str]) -> None:
    same = sunset("reload", *admin)
    assert (same.returncode, same.stderr) == (0, "")
    assert re.fullmatch(r"nothing has changed: generation [0-9a-f]{12} stays in use\n", same.stdout)
    with (here / "rules" / "poco-uk.yaml").open("a") as file:
        file.write("# a comment\n")
    taken = sunset("reload", *admin)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert re.fullmatch(r"generation [0-9a-f]{12} is in use, after \d+\.\d s\n", taken.stdout)
    assert json.loads(sunset("reload", *admin, "--json").stdout)["changed"] is False


def test_every_error_is_told_as_check_tells_it(sunset: Run, here: Path, admin: tuple[str, str]) -> None:
    for name in ("poco-uk", "poco-fr"):
        file = here / "rules" / f"{name}.yaml"
        file.write_text(file.read_text("utf-8").replace("moves_to: https://www.mi.com", "moves_to: https://evil.com"))
    checked, refused = sunset("check"), sunset("reload", *admin)
    assert (checked.returncode, refused.returncode, refused.stdout) == (1, 1, "")
    *errors, last = refused.stderr.splitlines()
    assert errors == checked.stderr.splitlines()
    assert re.fullmatch(r"sunset: the rules cannot be used; generation [0-9a-f]{12} stays in use", last)
    told = sunset("status", *admin)
    assert told.returncode == 0
    assert re.search(r"last reload \d+ s ago: REFUSED: the rules cannot be used \(\d+ problems\)", told.stdout)
    as_json = sunset("reload", *admin, "--json")
    assert as_json.returncode == 1
    assert "target-not-listed" in {problem["code"] for problem in json.loads(as_json.stdout)["problems"]}


def test_rules_that_are_suddenly_few_are_taken_when_that_is_meant(
    sunset: Run, here: Path, admin: tuple[str, str]
) -> None:
    for name in ("poco-uk", "poco-fr"):
        (here / "rules" / f"{name}.yaml").unlink()
    refused = sunset("reload", *admin)
    assert refused.returncode == 1
    assert "of 92 rules and mappings only 47 would be left" in refused.stderr
    assert "sunset reload --allow-shrink" in refused.stderr
    assert sunset("reload", *admin, "--allow-shrink").returncode == 0
    assert "47 rules of 3 sites" in sunset("status", *admin).stdout


def test_status_shows_sites_workers_and_what_comes_next(sunset: Run, admin: tuple[str, str]) -> None:
    shown = sunset("status", *admin)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.match(r"Sunset \S+, serving, started \d+ s ago, on 127\.0\.0\.1:\d+ \(http\), ", shown.stdout)
    assert "no reload yet" in shown.stdout
    assert re.search(r"^poco-uk +notice +wallet-moved 2024-12-12 00:00 UTC +\d+ +\d+$", shown.stdout, re.MULTILINE)
    assert len(re.findall(r"^ *\d+ +[0-9a-f]{12} +accepting ", shown.stdout, re.MULTILINE)) == 2
    told = json.loads(sunset("status", *admin, "--json").stdout)
    assert (told["ready"], len(told["sites"]), len(told["workers"])) == (True, 5, 2)


def test_a_server_that_was_given_no_folder_reloads_none(sunset: Run, start: Start) -> None:
    process = start("demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", stderr=None)
    found = ("--admin", where(process))
    refused = sunset("reload", *found)
    assert refused.returncode == 1
    assert "not given a folder to load rules from" in refused.stderr
    assert sunset("status", *found).returncode == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0


def test_a_token_is_taken_from_the_environment(sunset: Run, start: Start) -> None:
    token = {"SUNSET_ADMIN_TOKEN": "\u00fc" + "x" * 32 + "\n"}  # as files of secrets often end
    arguments = ("serve", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0", "--workers", "1")
    port = where(start(*arguments, variables=token, stdout=subprocess.DEVNULL)).rpartition(":")[2]
    for command in ("status", "reload"):
        asked = (command, "--admin", f"0.0.0.0:{port}")
        refused = sunset(*asked)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "SUNSET_ADMIN_TOKEN" in refused.stderr
        assert sunset(*asked, **token).returncode == 0


def test_a_token_that_cannot_be_sent_is_told(sunset: Run) -> None:
    for command in ("status", "reload", "health"):
        ran = sunset(command, *NOBODY, SUNSET_ADMIN_TOKEN="x" * 16 + "\n" + "x" * 16)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr == "sunset: SUNSET_ADMIN_TOKEN holds a character that cannot be sent\n"


def test_the_server_is_asked_where_the_environment_lets_it_listen(sunset: Run, admin: tuple[str, str]) -> None:
    for command in ("status", "reload", "health"):
        assert sunset(command, SUNSET_ADMIN=admin[1]).returncode == 0


class Stranger(BaseHTTPRequestHandler):
    """A server that is no Sunset, and says yes to everything."""

    body = b"<html>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET  # noqa: N815 - as its base has it

    def log_message(self, *_what: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b""])
@pytest.mark.parametrize("command", [("status", "--json"), ("reload", "--json"), ("health",)])
def test_a_server_that_is_no_sunset_is_told_as_one(sunset: Run, command: tuple[str, ...], body: bytes) -> None:
    with HTTPServer(("127.0.0.1", 0), type("Answering", (Stranger,), {"body": body})) as server:
        threading.Thread(target=server.handle_request).start()
        ran = sunset(*command, "--admin", f"127.0.0.1:{server.server_port}")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "answers 200: it is no Sunset" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["status", "reload", "health"])
def test_where_nobody_answers_that_is_said(sunset: Run, command: str) -> None:
    ran = sunset(command, *NOBODY)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "nobody answers at 127.0.0.1:1: no server listens there" in ran.stderr
    assert "Errno" not in ran.stderr


@pytest.mark.parametrize("command", ["status", "reload", "health"])
def test_another_server_than_the_admin_listener_is_told_apart(sunset: Run, start: Start, command: str) -> None:
    process = start("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert process.stderr is not None
    public = process.stderr.readline().rpartition(":")[2].strip()
    ran = sunset(command, "--admin", f"127.0.0.1:{public}")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "421: it is no Sunset that" in ran.stderr
    assert "<" not in ran.stderr
