"""T13: somebody sends a Host that one reader takes for another's, or for the address of a machine inside.

What is no host is refused before anybody has looked at it, in a Host header and in an absolute target alike; nothing of
it reaches an origin, and it is not said back.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Start

USER_INFO = ["po.co@127.0.0.1", "po.co:80@127.0.0.1", "poco.in@169.254.169.254", "@po.co", "a:b@po.co"]
PORTS = ["po.co:99999", "po.co:65536", "po.co:-1", "po.co:+80", "po.co:8 0", "po.co:80:80", "po.co:0x50", "po.co:http"]
LISTS = ["po.co,po.co", "po.co, evil.example", "po.co;evil.example", "po.co evil.example", "po.co\tevil.example"]
PLACES = ["po.co/x", "po.co/", "/po.co", "http://po.co", "po.co?x", "po.co#x", "po.co\\x", "po.co%2f"]
NAMES = ["", ".", "..", ".po.co", "po..co", "po.co..", "-", "po.co%00", "po.co%0d%0a", "pö.co", "p\x7fo.co"]
LITERALS = ["[", "[]", "[::1", "::1", "[::1]x", "[::g]", "[::1%25eth0]", "[v1.x]", "[::1]:99999"]
BAD = [*USER_INFO, *PORTS, *LISTS, *PLACES, *NAMES, *LITERALS]
NO_TARGET = {"po.co?x", "po.co/x", "po.co/", "/po.co", "http://po.co"}
"""In an absolute target these are something else: a host, and a path or a query behind it."""


def ok(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def requests(host: str) -> Iterable[bytes]:
    name = host.encode()
    yield b"GET /secret HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % name
    yield b"GET /secret HTTP/1.0\r\nHost: %b\r\nConnection: close\r\n\r\n" % name
    if host not in NO_TARGET:
        yield b"GET http://%b/secret HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n" % name


def test_what_is_no_host_is_refused_wherever_it_stands(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    old = origin(ok)
    server = start("--at", "2024-10-01", rules=old.rules(tmp_path))
    refused = 0
    for host in BAD:
        for request in requests(host):
            answer = server.tell(request)
            assert answer.startswith(b"HTTP/1.1 400 "), request
            assert b"secret" not in answer
            assert len(answer.partition(b"\r\n\r\n")[2]) <= 200
            refused += 1
    assert old.heads == []
    figure("T13", "hosts that are none: refused, and how many of them reached the origin", f"{refused}, 0")


def test_what_is_a_host_is_served(start: Start, origin: Originating, tmp_path: Path) -> None:
    old = origin(ok)
    server = start("--at", "2024-10-01", rules=old.rules(tmp_path))
    for host in (b"po.co", b"PO.co.", b"po.co:80", b"po.co:65535", b"po.co:"):
        assert server.tell(b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host)[9:12] == b"200", host
    assert len(old.heads) == 5
