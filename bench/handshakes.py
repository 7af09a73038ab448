"""A program: a TLS handshake for every request of the file HEADS: `handshakes.py PORT HOST SECONDS CONNECTIONS`.

wrk keeps the session of a connection for the next one, so it measures what a client costs that comes back. Here every
connection is a client that was never here before: it has no session to offer, and sees to it that it was given none.
As it sees every answer, it looks at every status, too.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import ssl
import statistics
import sys
import threading
import time
from pathlib import Path


class HandshakeError(Exception):
    """A connection that was not the one to be measured, or an answer that was not a redirect."""


class Handshakes:
    """What all threads share."""

    def __init__(self, port: int, host: str, until: float, heads: list[bytes]) -> None:
        self.port, self.host, self.until = port, host, until
        self.heads = itertools.cycle(heads)
        self.durations: list[float] = []
        self.failed: list[str] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False  # the server's work is measured, not ours
        self.context.verify_mode = ssl.CERT_NONE
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3

    def go(self) -> None:
        """One connection after the other, until the time is over."""
        try:
            while (begun := time.perf_counter()) < self.until:
                self.ask(next(self.heads))
                self.durations.append(time.perf_counter() - begun)
        except (OSError, HandshakeError) as error:
            self.failed.append(repr(error))

    def ask(self, head: bytes) -> None:
        """One request, on a connection of its own, to its very end."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as browsers do, and wrk
        with self.context.wrap_socket(plain, server_hostname=self.host) as connection:
            if connection.session_reused:
                raise HandshakeError("the session was resumed")
            connection.sendall(head)
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
        if not answer.startswith(b"HTTP/1.1 301 "):
            raise HandshakeError(f"answered {answer[:100]!r}")


def main() -> None:
    """Says what became of the requests as one line of JSON, as load.lua does."""
    port, host, seconds, connections = sys.argv[1:]
    heads = Path(os.environ["HEADS"]).read_bytes().split(b"\0")
    begun = time.perf_counter()
    handshakes = Handshakes(int(port), host, begun + float(seconds), heads)
    threads = [threading.Thread(target=handshakes.go) for _ in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in handshakes.failed:
        print(failure, file=sys.stderr)
    percentiles = statistics.quantiles([*handshakes.durations, 0, 0], n=100)
    said = {
        "requests": len(handshakes.durations),
        "seconds": time.perf_counter() - begun,
        "failed": len(handshakes.failed),
        "refused": 0,
        "p50_ms": percentiles[49] * 1e3,
        "p99_ms": percentiles[98] * 1e3,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
