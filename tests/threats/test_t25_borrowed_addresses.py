"""T25: somebody says to be somebody else, in X-Forwarded-For, Forwarded, or a header of the PROXY protocol.

The origin is told whom the connection came from. Only a proxy that is trusted by name is believed, and then the chain
goes on with that proxy at its end, so that the origin can judge as well.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Start

CLAIM = "192.0.2.66"
CLAIMS = (
    f"X-Forwarded-For: {CLAIM}",
    f"x-forwarded-for: {CLAIM}, 127.0.0.1",
    f"X_Forwarded_For: {CLAIM}",
    f"Forwarded: for={CLAIM};proto=https",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
)
ASKED_BY = re.compile(rb"^(?:x-forwarded-|x_forwarded|forwarded:).*$", re.IGNORECASE | re.MULTILINE)


def ok(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(*fields: str) -> bytes:
    lines = ["GET /x HTTP/1.1", "Host: po.co", *fields, "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("trusted", ["", "192.0.2.0/24,2001:db8::/32"])
def test_nobody_is_who_they_say(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure, trusted: str
) -> None:
    old = origin(ok)
    server = start("--at", "2024-10-01", rules=old.rules(tmp_path), SUNSET_TRUSTED_PROXIES=trusted)
    for claim in CLAIMS:
        assert server.tell(request(claim)).startswith(b"HTTP/1.1 200 ")
    assert server.tell(request(*CLAIMS)).startswith(b"HTTP/1.1 200 ")
    for head in old.heads:
        said = b"\n".join(ASKED_BY.findall(head))
        assert CLAIM.encode() not in said
        assert b"evil" not in said
        assert b"https" not in said
        assert said.count(b"127.0.0.1") == 2  # once in each kind of field
    if not trusted:
        figure("T25", "claims to be somebody else, and how many of them reached the origin", f"{len(CLAIMS)}, 0")


def test_a_trusted_proxy_is_believed_and_stands_behind_what_it_says(
    start: Start, origin: Originating, tmp_path: Path
) -> None:
    old = origin(ok)
    server = start("--at", "2024-10-01", rules=old.rules(tmp_path), SUNSET_TRUSTED_PROXIES="127.0.0.0/8")
    server.tell(request(f"X-Forwarded-For: {CLAIM}, 203.0.113.7", "Forwarded: for=198.51.100.1"))
    (head,) = old.heads
    assert f"X-Forwarded-For: {CLAIM}, 203.0.113.7, 127.0.0.1\r\n".encode() in head
    assert b"198.51.100.1" not in head


@pytest.mark.parametrize(
    "header", [b"PROXY TCP4 192.0.2.66 127.0.0.1 1 2\r\n", b"PROXY UNKNOWN\r\n", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"]
)
def test_no_listener_takes_an_introduction_that_was_not_told_to(start: Start, header: bytes) -> None:
    server = start("--at", "2025-01-01")
    assert server.tell(header + request()).startswith(b"HTTP/1.1 400 ")
    assert not any("192.0.2.66" in line for line in server.lines)
