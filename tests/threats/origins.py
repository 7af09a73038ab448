"""Origins for threats: a function gives, piece by piece, what each request is answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tests.threats.running import PATIENCE

Answering = Callable[[bytes, BinaryIO], Iterable[bytes]]
"""Is given the head of a request, and where its body is read from."""

_END = b"\r\n\r\n"
SITE = """\
site: old
hosts: [po.co]
timezone: UTC
origin: http://127.0.0.1:{port}
origin_networks: [127.0.0.0/8]
moves_to: https://www.mi.com/uk
schedule: {{notice: 2024-10-09, cutover: 2024-12-31}}
notice: {{message: "This site closes on {{cutover}}."}}
"""


class Origin:
    """Listens on a free port; a thread a connection. `heads` are those of the requests that came, in their order."""

    def __init__(self, answering: Answering) -> None:
        self.heads: list[bytes] = []
        self._answering = answering
        self._threads: list[threading.Thread] = []
        self._socks: list[socket.socket] = []

    def rules(self, folder: Path) -> Path:
        """A rule folder whose one site, po.co, this is the origin of."""
        rules = folder / "rules-of-one-site"
        rules.mkdir()
        (rules / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
        (rules / "old.yaml").write_text(SITE.format(port=self.port), "utf-8")
        return rules

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listening.getsockname()[1])

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for sock in (self._listening, *self._socks):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listening.accept()
                self._socks.append(sock)
                self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock, sock.makefile("rb") as received:
            while (head := _head(received)).endswith(_END):
                self.heads.append(head)
                for piece in self._answering(head, received):
                    sock.sendall(piece)


def _head(received: BinaryIO) -> bytes:
    """Up to and with the empty line; less where the connection ends before."""
    head = b""
    while not head.endswith(_END) and (line := received.readline()):
        head += line
    return head
