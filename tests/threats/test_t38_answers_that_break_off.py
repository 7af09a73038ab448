"""T38: the origin breaks off inside an answer, and half a page or half a file is taken, and cached, for the whole.

The client's connection is ended so that it sees that something is missing, whatever the framing, notice or not.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Start

HALF = b"<!doctype html><title>x</title><body>" + b"<p>half a page</p>" * 2000
ANSWERS = {
    "less than its length": b"Content-Length: 1000000\r\n\r\n" + HALF,
    "between chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(HALF), HALF),
    "inside a chunk": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (len(HALF) + 9, HALF),
    "inside a chunk's size": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n1" % (len(HALF), HALF),
    "no chunk at all": b"Transfer-Encoding: chunked\r\n\r\n",
    "before its trailers end": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX: y\r\n" % (len(HALF), HALF),
    "a chunk that is none": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\nzz\r\n" % (len(HALF), HALF),
}
KINDS = ("text/html", "image/png")


def is_whole(answer: bytes) -> bool:
    """Whether a client takes it for all there is to come."""
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    if b"transfer-encoding" in fields:
        return body.endswith((b"\r\n0\r\n\r\n", b"\r\n\r\n")) or body == b"0\r\n\r\n"
    return b"content-length" not in fields or int(fields[b"content-length"]) == len(body)


@pytest.mark.parametrize("at", ["2024-10-01", "2024-11-01"], ids=["before", "notice"])
def test_nobody_takes_a_part_for_the_whole(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure, at: str
) -> None:
    def breaks_off(head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        _, number, kind = head.split(b" ", 2)[1].decode().split("/", 2)
        yield b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n" % kind.encode()
        yield list(ANSWERS.values())[int(number)]
        raise ConnectionAbortedError

    server = start("--at", at, rules=origin(breaks_off).rules(tmp_path))
    errors = 0
    for number, what in enumerate(ANSWERS):
        for kind in KINDS:
            request = b"GET /%d/%b HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n" % (number, kind.encode())
            answer = server.tell(request)
            if answer.startswith(b"HTTP/1.1 502 "):
                errors += 1  # nothing had been sent on yet
                continue
            assert answer.startswith(b"HTTP/1.1 200 "), (what, kind, answer[:100])
            assert not is_whole(answer), (what, kind)
    tried = len(ANSWERS) * len(KINDS)
    figure("T38", f"answers that break off, at {at}: a part that ends in an abort, 502", f"{tried - errors}, {errors}")


def test_one_that_answers_in_full_is_whole(start: Start, origin: Originating, tmp_path: Path) -> None:
    def answers(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(HALF), HALF)

    rules = origin(answers).rules(tmp_path)
    for at in ("2024-10-01", "2024-11-01"):
        answer = start("--at", at, rules=rules).tell(b"GET / HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n")
        assert is_whole(answer)
