"""`sunset serve` and `sunset health`, run as a machine runs them."""

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

ANY_PORT = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")


def ports(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Where a server that has just been started listens, and where its metrics are."""
    assert process.stderr is not None
    said = ""
    while "metrics on" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    listening, metrics = re.findall(r"http://127\.0\.0\.1:(\d+)", said)
    return int(listening), int(metrics)


def ask(port: int, host: str, path: str) -> tuple[int, str | None, bytes]:
    """Status, Location and body."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.headers["Location"], response.read()


def test_it_answers_reports_and_ends_in_an_orderly_way(start: Start, sunset: Run) -> None:
    process = start("serve", *ANY_PORT, "--at", "2025-01-01", "--preview-suffix", ".localhost")
    port, admin = ports(process)
    for host in ("po.co", "po.co.localhost"):
        assert ask(port, host, "/uk/x?y=1")[:2] == (301, "https://www.mi.com/uk/x?y=1")
    assert b"sunset_requests_total" in ask(admin, "127.0.0.1", "/metrics")[2]
    well = sunset("health", "--admin", f"127.0.0.1:{admin}")
    assert (well.returncode, well.stderr) == (0, "")

    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    gone = sunset("health", "--admin", f"127.0.0.1:{admin}")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "nobody answers" in gone.stderr


def test_a_time_without_offset_is_utc(start: Start) -> None:
    process = start("serve", *ANY_PORT, "--at", "2024-12-30T17:30")
    port, _ = ports(process)
    assert ask(port, "po.co.id", "/id/")[0] == 301
    assert ask(port, "po.co", "/uk/cart")[0] == 302


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_several_addresses_among_them_ipv6(start: Start) -> None:
    process = start("serve", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--admin", "127.0.0.1:0")
    assert process.stderr is not None
    said = process.stderr.readline() + process.stderr.readline()
    assert re.search(r"http://\[::1\]:\d+", said)


def test_an_interrupt_ends_it_like_a_signal(start: Start) -> None:
    process = start("serve", *ANY_PORT)
    ports(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0


def test_a_port_that_is_taken_is_told_without_traceback(sunset: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = sunset("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--admin", "127.0.0.1:0")
    assert ran.returncode == 1
    assert "in use" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_access_log_that_cannot_be_written_is_told_before_anything_starts(sunset: Run) -> None:
    ran = sunset("serve", *ANY_PORT, "--access-log", "no/such/folder/log")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "sunset: the access log no/such/folder/log cannot be written: No such file or directory\n"


def test_challenges_are_answered_from_the_folder_that_is_named(start: Start, here: Path) -> None:
    token = "x" * 43
    folder = here / "elsewhere/acme/challenges"
    folder.mkdir(parents=True)
    (folder / token).write_text("the answer", "ascii")
    process = start("serve", *ANY_PORT, "--data", "elsewhere")
    assert ask(ports(process)[0], "po.co", f"/.well-known/acme-challenge/{token}") == (200, None, b"the answer")


def test_a_server_that_nobody_could_reach_does_not_start(sunset: Run) -> None:
    ran = sunset("serve", "--listen", "", "--admin", "127.0.0.1:0")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "--listen" in ran.stderr


def test_metrics_for_everybody_want_a_token(sunset: Run, start: Start) -> None:
    arguments = ("--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0")
    ran = sunset("serve", *arguments)
    assert ran.returncode == 1
    assert "SUNSET_ADMIN_TOKEN" in ran.stderr
    process = start("serve", *arguments, variables={"SUNSET_ADMIN_TOKEN": "x" * 32})
    assert process.stderr is not None
    assert "listening" in process.stderr.readline()


def test_a_broken_rulebook_is_not_served(sunset: Run) -> None:
    ran = sunset("serve", "--rules", "nowhere")
    assert ran.returncode == 1
    assert "nowhere" in ran.stderr


def test_tls_without_a_certificate_is_told_with_a_way_to_try_it_out(sunset: Run, here: Path) -> None:
    ran = sunset("serve", "--listen-tls", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert ran.returncode == 1
    assert "certs: is not there" in ran.stderr
    assert "sunset certs self-signed" in ran.stderr
    (here / "certs").mkdir()
    (here / "certs/po.co.pem").write_text("no certificate", "utf-8")
    ran = sunset("serve", "--listen-tls", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert ran.returncode == 1
    assert "certs/po.co.key: is missing" in ran.stderr
    assert "Traceback" not in ran.stderr


WRONG_USE = {
    "no port": (["serve", "--listen", "localhost"], "HOST:PORT|127.0.0.1:8080"),
    "no such port": (["serve", "--listen", "127.0.0.1:65536"], "127.0.0.1:8080"),
    "bare IPv6": (["serve", "--listen", "::1:8080"], r"\[::1\]:8080"),
    "no date": (["serve", "--at", "soon"], "2024-12-31"),
    "no port for TLS": (["serve", "--listen-tls", "localhost"], "HOST:PORT|127.0.0.1:8080"),
    "health of nowhere": (["health", "--admin", "9900"], "127.0.0.1:8080"),
}


@pytest.mark.parametrize(("arguments", "advice"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_told_with_advice(sunset: Run, arguments: list[str], advice: str) -> None:
    ran = sunset(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert re.search(advice, ran.stderr)
