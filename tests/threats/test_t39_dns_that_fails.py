"""T39: DNS is down for some minutes, and the old site with it, though the site itself is well.

The last known addresses go on for a while; redirects never ask. Once DNS is back, so is everything.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from tests.threats.conftest import Figure, Originating
from tests.threats.names import Names
from tests.threats.running import PATIENCE, Running, Start

RULES = {
    "rulebook.yaml": "targets: [www.mi.com]\ndefaults: {{timezone: UTC}}\n",
    "old.yaml": """\
site: old
hosts: [po.co]
origin: http://old.site.example:{port}
origin_networks: [127.0.0.0/8]
moves_to: https://www.mi.com/uk
schedule: {{cutover: 2024-12-31}}
""",
    "closed.yaml": """\
site: closed
hosts: [closed.example]
origin: http://old.site.example:{port}
moves_to: https://www.mi.com/uk
schedule: {{cutover: 2024-01-01}}
""",
}
KNOWN = 2.0
"""Seconds for which the last known addresses go on here."""
ASKED = 30


def ok(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def ask(server: Running, host: str = "po.co") -> int:
    return int(server.tell(f"GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())[9:12])


def test_an_origin_outlives_dns_for_a_while(start: Start, origin: Originating, tmp_path: Path, figure: Figure) -> None:
    names, old = Names(tmp_path), origin(ok)
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in RULES.items():
        (rules / name).write_text(text.format(port=old.port), "utf-8")
    names.lead(old_site_example="127.0.0.1")
    limits: dict[str, Any] = {"SUNSET_TIMEOUTS_DNS": "0.001", "SUNSET_TIMEOUTS_DNS_LAST_KNOWN": f"{KNOWN}s"}
    server = start("--at", "2024-10-01", "--workers", "1", rules=rules, launch=names.launch, **limits)
    assert ask(server) == 200
    names.lead()
    began = time.monotonic()
    answered = 0
    while ask(server) == 200:
        answered += 1
        assert ask(server, "closed.example") == 301
        assert time.monotonic() - began < PATIENCE
    lasted = time.monotonic() - began
    assert answered
    for _ in range(ASKED):
        assert ask(server, "closed.example") == 301
    names.lead(old_site_example="127.0.0.1")
    assert ask(server) == 200
    what = f"requests forwarded without DNS, and for how many s where the last known addresses hold {KNOWN:g} s"
    figure("T39", what, f"{answered}, {lasted:.1f}")
