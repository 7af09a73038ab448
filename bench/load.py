"""Load on a server: wrk with `load.lua`, or `handshakes.py`, on a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.rules import HOST
from bench.server import Server, ServerError

HERE: Final = Path(__file__).parent
TIMEOUT: Final = "10s"
"""For an answer. A shared machine stalls at times, and that is not the server's fault."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the requests. Latencies are those that the client saw."""

    requests: int
    seconds: float
    failed: int
    """Connections that failed."""
    refused: int
    """Answers of 400 and above."""
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Load:
    """How requests come: each as soon as its connection had an answer, unless there is a pause."""

    connections: int = 32
    close: bool = False
    """A new connection for each request."""
    tls: bool = False
    """A new TLS connection for each request; `close` as well."""
    pause: int = 0
    """Milliseconds between an answer and the next request, on average."""

    def put_on(self, server: Server, heads: Path, *, seconds: int, core: int) -> Answered:
        """Asks for so long. Raises `ServerError` if a single request failed or was refused."""
        if self.tls:
            command = [sys.executable, "-P", str(HERE / "handshakes.py"), str(server.port), HOST, str(seconds)]
            command += [str(self.connections)]
        else:
            command = [
                "wrk",
                "-t1",
                "--timeout",
                TIMEOUT,
                f"-c{self.connections}",
                f"-d{seconds}s",
                "-s",
                str(HERE / "load.lua"),
            ]
            command += [f"http://127.0.0.1:{server.port}/"]
        environment = {**os.environ, "HEADS": str(heads)}
        if self.pause:
            environment["PAUSE"] = str(self.pause)
        done = subprocess.run(
            ["taskset", "-c", str(core), *command], check=False, capture_output=True, text=True, env=environment
        )
        if done.returncode != 0:
            raise ServerError(f"{server.name} could not be asked:\n{done.stdout}{done.stderr}")
        answered = Answered(**json.loads(done.stdout.splitlines()[-1]))
        if answered.failed or answered.refused or not answered.requests:
            raise ServerError(f"{server.name} does not answer as it should: {answered}\n{done.stderr[-2000:]}")
        return answered
