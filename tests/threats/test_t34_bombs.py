"""T34: an origin answers a page of a few bytes that inflates to more than a machine has.

Where the notice goes in, Sunset has to look inside. It does so a piece at a time, gives up where no page would be so,
and lets the client see that this was not all. Where nothing goes in, the bytes go on as they are.
"""

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import brotli
import pytest

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Start

ZEROS = 512 * 1024 * 1024
PIECE = bytes(1024 * 1024)
MOST_GROWTH = 40.0
"""MiB, while a bomb is inflated."""


def deflated(page: bytes) -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    parts = [compressor.compress(page), *(compressor.compress(PIECE) for _ in range(ZEROS // len(PIECE)))]
    return b"".join([*parts, compressor.flush()])


def brotlied(page: bytes) -> bytes:
    compressor = brotli.Compressor(quality=5)
    parts = [compressor.process(page), *(compressor.process(PIECE) for _ in range(ZEROS // len(PIECE)))]
    return b"".join([*parts, compressor.finish()])


def request(*fields: bytes) -> bytes:
    lines = [b"GET /x HTTP/1.1", b"Host: po.co", b"Accept-Encoding: gzip", *fields, b"Connection: close"]
    return b"\r\n".join([*lines, b"", b""])


PAGE = b"<!doctype html><title>x</title><body><p>"


def test_what_a_page_may_become_can_be_set(start: Start, origin: Originating, tmp_path: Path) -> None:
    body = zlib.compress(PAGE + bytes(64 * 1024), wbits=31)
    fields = (b"Content-Type: text/html", b"Content-Encoding: gzip", b"Content-Length: %d" % len(body))

    def answering(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"", body])

    rules = origin(answering).rules(tmp_path)
    assert b"sunset" in start("--at", "2024-11-01", rules=rules).tell(request())
    smaller = start("--at", "2024-11-01", rules=rules, SUNSET_LIMITS_INFLATED="32KiB")
    assert smaller.tell(request()).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(("coding", "bomb"), [(b"gzip", deflated), (b"br", brotlied)])
def test_a_bomb_does_not_go_off(
    start: Start,
    origin: Originating,
    tmp_path: Path,
    figure: Figure,
    coding: bytes,
    bomb: Callable[[bytes], bytes],
) -> None:
    body = bomb(PAGE)
    fields = (b"Content-Type: text/html", b"Content-Encoding: " + coding, b"Content-Length: %d" % len(body))

    def answering(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        yield b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"", body])

    server = start("--at", "2024-11-01", rules=origin(answering).rules(tmp_path))
    before = server.peak_memory()
    answer = server.tell(request())
    if not answer.startswith(b"HTTP/1.1 502 "):  # some of it was on its way already
        assert not answer.endswith(b"\r\n0\r\n\r\n"), "the client has to see that this was not all"
    assert server.tell(request(b"Sec-Fetch-Dest: empty")).endswith(body), (
        "nothing goes in there, so it is not looked at"
    )
    rise = server.peak_memory() - before
    assert rise < MOST_GROWTH
    what = f"peak of memory with {len(body):,} bytes of {coding.decode()} that are {ZEROS >> 20} MiB, MiB more"
    figure("T34", what, f"{rise:.1f}")
