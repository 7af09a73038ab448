"""`sunset certs` and `sunset certs self-signed`, run as their users run them."""

import json
import re
import socket
import ssl
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from proxy.edge.clock import Clock
from proxy.edge.tls.self_signed import make
from tests.tls.authority import Files, issue

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

HOSTS = ("po.co", "www.po.co", "po.co.id", "www.po.co.id", "poco.in", "www.poco.in")
DAY = timedelta(days=1)


@pytest.fixture
def certs(here: Path) -> Path:
    folder = here / "certs"
    folder.mkdir()
    return folder


def of_days(*names: str, begins: timedelta, days: int) -> Files:
    """A certificate that is valid from some time before or after now on."""
    return Files(*make(names, now=Clock().now() + begins, days=days))


def test_all_is_well_where_every_host_has_a_certificate(sunset: Run, certs: Path) -> None:
    issue(*HOSTS, ends=datetime(2099, 1, 1, tzinfo=UTC)).certbot(certs, "po.co")
    ran = sunset("certs")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.search(r"po\.co, www\.po\.co, po\.co\.id and 3 more +2099-01-01", ran.stdout)
    assert "certs/po.co/fullchain.pem" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "1 certificate; 6 hosts, 0 without one"


def test_hosts_without_certificate_and_certificates_without_host_are_told(sunset: Run, certs: Path) -> None:
    issue(*HOSTS[1:]).plain(certs, "most")
    issue("elsewhere.example").plain(certs, "stray")
    ran = sunset("certs")
    assert ran.returncode == 1
    assert "without a certificate  po.co\n" in ran.stdout
    assert "without a host  certs/stray.pem\n" in ran.stdout


@pytest.mark.parametrize(
    ("files", "told", "code"),
    [
        (of_days(*HOSTS, begins=-20 * DAY, days=10), "expired on", 1),
        (of_days(*HOSTS, begins=-80 * DAY, days=90), "renew it", 0),
        (of_days(*HOSTS, begins=5 * DAY, days=90), "is valid only from", 0),
        (Files(issue(*HOSTS).chain, issue(*HOSTS).key), "certs/a.key: is not the key of a.pem", 1),
    ],
    ids=["expired", "expires soon", "to come", "another key"],
)
def test_what_is_wrong_is_told_with_its_file(sunset: Run, certs: Path, files: Files, told: str, code: int) -> None:
    files.plain(certs, "a")
    ran = sunset("certs")
    assert ran.returncode == code
    assert told in ran.stderr
    assert "certs/a." in ran.stderr
    assert "Traceback" not in ran.stderr


def test_json_has_all_of_it(sunset: Run, certs: Path) -> None:
    ends = Clock().now().replace(microsecond=0) + 30 * DAY
    issue(*HOSTS[:2], ends=ends).certbot(certs, "po.co")
    issue("elsewhere.example", ends=ends).certbot(certs, "default")
    Files(b"", b"").plain(certs, "broken")
    ran = sunset("certs", "--json")
    assert ran.returncode == 1
    report = json.loads(ran.stdout)
    assert report["ok"] is False
    default, own = report["certificates"]
    assert own == {
        "names": ["po.co", "www.po.co"],
        "expires": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "days_left": 29,
        "issuer": own["issuer"],
        "self_signed": False,
        "default": False,
        "has_host": True,
        "file": "certs/po.co/fullchain.pem",
    }
    assert (default["default"], default["has_host"]) == (True, True)
    assert report["hosts_without_certificate"] == list(HOSTS[2:])
    [problem] = report["problems"]
    assert (problem["file"], problem["severity"]) == ("certs/broken.pem", "error")


def test_the_folder_is_that_of_the_settings(sunset: Run, here: Path) -> None:
    issue(*HOSTS).certbot(here, "po.co")
    (here / "sunset.toml").write_text('certs = "."\n', "utf-8")
    assert sunset("certs").returncode == 0
    assert sunset("certs", SUNSET_CERTS="nowhere").returncode == 1
    assert sunset("certs", "--certs", ".", SUNSET_CERTS="nowhere").returncode == 0


def test_colours_tell_what_has_expired_and_what_soon_will(on_terminal: Run, certs: Path) -> None:
    of_days("po.co", begins=-80 * DAY, days=90).plain(certs, "soon")
    of_days("po.co.id", begins=-20 * DAY, days=10).plain(certs, "late")
    shown = on_terminal("certs").stdout
    assert re.search(r"\x1b\[1;31m[\d-]+  expired", shown)
    assert re.search(r"\x1b\[1;33m[\d-]+  \d+ days", shown)


def test_a_self_signed_certificate_is_made_for_what_lacks_one_and_serves(
    sunset: Run, start: Start, certs: Path
) -> None:
    issue("po.co.id").certbot(certs, "po.co.id")
    ran = sunset("certs", "self-signed", "--preview-suffix", ".localhost", "--days", "7")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "certs/self-signed.pem\n11 names, 7 days" in ran.stdout
    assert stat.S_IMODE((certs / "self-signed.key").stat().st_mode) == 0o600
    assert sunset("certs").returncode == 0

    process = start("serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert process.stderr is not None
    said = ""
    while "metrics on" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    [port] = re.findall(r"https://127\.0\.0\.1:(\d+)", said)
    context = ssl.create_default_context(cafile=str(certs / "self-signed.pem"))
    connection = Named("po.co", int(port), context=context, timeout=30)
    connection.request("GET", "/uk/x?y=1")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://www.mi.com/uk/x?y=1")
    connection.close()
    process.terminate()
    assert process.wait(40) == 0


def test_the_preview_suffix_is_that_of_the_settings(sunset: Run, here: Path, certs: Path) -> None:
    (here / "sunset.toml").write_text('preview_suffix = ".Localhost"\n', "utf-8")
    assert "12 names" in sunset("certs", "self-signed").stdout
    assert "po.co.localhost" in json.loads(sunset("certs", "--json").stdout)["certificates"][0]["names"]
    assert sunset("certs", "self-signed", "--preview-suffix", "localhost").returncode == 2
    assert (certs / "self-signed.pem").is_file()


class Named(HTTPSConnection):
    """Finds every name on this machine."""

    def connect(self) -> None:
        self.sock = self._context.wrap_socket(  # type: ignore[attr-defined]
            socket.create_connection(("127.0.0.1", self.port), self.timeout), server_hostname=self.host
        )


def test_where_every_host_has_a_certificate_none_is_made(sunset: Run, certs: Path) -> None:
    issue(*HOSTS).certbot(certs, "po.co")
    ran = sunset("certs", "self-signed")
    assert ran.returncode == 0
    assert "nothing is written" in ran.stdout
    assert sorted(file.name for file in certs.iterdir()) == ["po.co"]


@pytest.mark.parametrize(
    ("names", "told"), [("https://po.co", 'write "po.co"'), ("a b", "is not a host name"), ("a.*.b", "stands in front")]
)
def test_what_is_no_host_is_told(sunset: Run, names: str, told: str) -> None:
    ran = sunset("certs", "self-signed", names)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in " ".join(ran.stderr.split())
