"""T37: the old site is down, or silent, or forgets connections, and visitors wait, or their orders are sent twice.

Each gets a page of ours within its time, nothing that may not be repeated is, and what redirects already does not care.
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import pytest

from tests.threats.conftest import Figure, Originating
from tests.threats.origins import SITE
from tests.threats.running import Running, Start

CLOSED = "site: closed\nhosts: [closed.example]\nmoves_to: https://www.mi.com/uk\norigin: http://127.0.0.1:9\n"
LIMIT = 1.0
BACKLOG = 1


def refusing() -> Iterator[int]:
    """The port of an origin that is not there."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # nobody else has it, and nobody listens
        yield sock.getsockname()[1]


def deaf() -> Iterator[int]:
    """That of one that accepts no more connections, since too many wait already."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=BACKLOG))
        for _ in range(BACKLOG + 1):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        yield sock.getsockname()[1]


def silent() -> Iterator[int]:
    """That of one that takes requests and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


def rules(folder: Path, port: int) -> Path:
    made = folder / "rules"
    made.mkdir()
    (made / "rulebook.yaml").write_text("targets: [www.mi.com]\ndefaults: {timezone: UTC}\n", "utf-8")
    (made / "old.yaml").write_text(SITE.format(port=port), "utf-8")
    (made / "closed.yaml").write_text(f"{CLOSED}schedule: {{cutover: 2024-01-01}}\n", "utf-8")
    return made


def ask(server: Running, method: str, path: str = "/x", host: str = "po.co") -> bytes:
    fields = "Content-Length: 4\r\n\r\nbody" if method == "POST" else "\r\n"
    return server.tell(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}".encode())


@pytest.mark.parametrize(("failing", "status"), [(refusing, 502), (deaf, 504), (silent, 504)])
def test_a_visitor_gets_a_page_of_ours_in_time(
    start: Start, tmp_path: Path, figure: Figure, failing: Callable[[], Iterator[int]], status: int
) -> None:
    limits: dict[str, Any] = {"SUNSET_TIMEOUTS_CONNECT": f"{LIMIT}s", "SUNSET_TIMEOUTS_ANSWER": f"{LIMIT}s"}
    with contextmanager(failing)() as port:
        server = start("--at", "2024-11-01", rules=rules(tmp_path, port), **limits)
        taken = []
        for method in ("GET", "POST"):
            began = time.monotonic()
            head, _, body = ask(server, method).partition(b"\r\n\r\n")
            taken.append(f"{time.monotonic() - began:.2f}")
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert b"\r\nCache-Control: no-store" in head
            assert b"\r\nRetry-After: " in head
            assert b"<html" in body
        assert b"\r\nLocation: https://www.mi.com/uk/x\r\n" in ask(server, "GET", host="closed.example")
    figure("T37", f"origin {failing.__name__}, with {LIMIT:g} s for each step: {status} after s", ", ".join(taken))


def test_what_may_be_repeated_is_sent_once_more_and_nothing_else(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    def dies(head: bytes, body: BinaryIO) -> Iterable[bytes]:
        if b" /dies " in head:
            raise ConnectionAbortedError
        if head.startswith(b"POST "):
            body.read(4)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    old = origin(dies)
    server = start("--at", "2024-10-01", "--workers", "1", rules=old.rules(tmp_path))
    for method in ("GET", "HEAD", "POST"):
        assert ask(server, "GET", "/lives").endswith(b"ok")  # so that there is a connection to be forgotten
        before = len(old.heads)
        assert ask(server, method, "/dies").startswith(b"HTTP/1.1 502 ")
        sent = len(old.heads) - before
        assert sent == (1 if method == "POST" else 2), method
        figure("T37", f"how often {method} is sent to an origin that forgets it", sent)


def test_many_who_wait_hold_up_nobody_else(start: Start, origin: Originating, tmp_path: Path, figure: Figure) -> None:
    released = Event()

    def waits(head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        if b" /waits " in head:
            released.wait()
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    old = origin(waits)
    server = start("--at", "2024-10-01", "--workers", "1", rules=old.rules(tmp_path))
    with ExitStack() as stack:
        stack.callback(released.set)
        waiting = [stack.enter_context(server.connect()) for _ in range(200)]
        for sock in waiting:
            sock.sendall(b"GET /waits HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n")
        began = time.monotonic()
        assert ask(server, "GET", "/x").endswith(b"ok")
        taken = time.monotonic() - began
        released.set()
        for sock in waiting:
            assert sock.recv(12) == b"HTTP/1.1 200"
    figure("T37", f"an answer while {len(waiting)} requests wait for the same origin, in ms", f"{taken * 1000:.0f}")
