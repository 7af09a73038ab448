"""T35: a body is larger than memory, or whoever takes it is slower than whoever sends it.

Bodies are never held: what the slower side has not taken is not asked for. Memory stays as it was, in both directions.
"""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tests.threats.conftest import Figure, Originating
from tests.threats.running import Start

MIB = 1024 * 1024
LENGTH = 256 * MIB
PIECE = bytes(MIB)
MOST_GROWTH = 30.0
"""MiB, while a body goes through."""


def test_a_large_body_goes_through_in_both_directions(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    def answering(head: bytes, body: BinaryIO) -> Iterable[bytes]:
        if head.startswith(b"POST"):
            taken = sum(len(body.read(MIB)) for _ in range(LENGTH // MIB))
            yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(taken)), taken)
            return
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LENGTH
        for _ in range(LENGTH // MIB):
            yield PIECE

    server = start("--at", "2024-10-01", rules=origin(answering).rules(tmp_path))
    before = server.peak_memory()
    with server.connect() as client:
        client.sendall(b"GET /x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n")
        assert count(client) > LENGTH
    with server.connect() as client:
        client.sendall(b"POST /x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % LENGTH)
        for _ in range(LENGTH // MIB):
            client.sendall(PIECE)
        assert client.makefile("rb").read().endswith(b"\r\n\r\n%d" % LENGTH)
    rise = server.peak_memory() - before
    assert rise < MOST_GROWTH
    figure("T35", f"peak of memory while {LENGTH // MIB} MiB went down and up, MiB more", f"{rise:.1f}")


def test_a_reader_that_takes_nothing_is_waited_for_and_nothing_piles_up(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    sent = 0

    def answering(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
        nonlocal sent
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LENGTH
        for _ in range(LENGTH // MIB):
            yield PIECE
            sent += MIB

    server = start("--at", "2024-10-01", rules=origin(answering).rules(tmp_path))
    before = server.peak_memory()
    readers = [server.connect() for _ in range(4)]
    for reader in readers:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        reader.sendall(b"GET /x HTTP/1.1\r\nHost: po.co\r\n\r\n")
        assert reader.recv(17) == b"HTTP/1.1 200 OK\r\n"
    assert server.tell(b"GET /x HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n").split()[1] == b"421"
    rise = server.peak_memory() - before
    held = sent / MIB
    for reader in readers:
        reader.close()
    assert rise < MOST_GROWTH
    figure(
        "T35",
        f"MiB that {len(readers)} readers who take nothing make an origin send, and memory more",
        f"{held:.0f}, {rise:.1f}",
    )


def count(client: socket.socket) -> int:
    """How many bytes come until the end."""
    total = 0
    while received := client.recv(MIB):
        total += len(received)
    return total
