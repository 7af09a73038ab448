"""A server that runs: on a core of its own, on loopback, with all its processes, and only as long as it is wanted."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.process import tree

LOADING: Final = 120.0
"""Seconds that a server may take until it answers: a million mappings on a slow machine."""
STOPPING: Final = 10.0
"""Seconds that it may take to end when it is told to; then it is killed, with all its processes."""

PORTS: Final = range(10_000, 32_000)
"""Below those that the kernel gives to clients."""


class ServerError(Exception):
    """A server that does not start, or does not do as it should."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started."""

    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers. `loading` is how long it took until then, in seconds, from the start of its program."""

    name: str
    pid: int
    port: int
    loading: float


@contextmanager
def running(name: str, command: Command, *, port: int, cores: Sequence[int], folder: Path) -> Iterator[Server]:
    """Starts a server on these cores, and waits until it answers. What it says is kept in the folder."""
    said = folder / "said.txt"
    # setpriv: should this program be killed, the kernel ends the servers that it left behind.
    arguments = ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", ",".join(map(str, cores)), *command.arguments]
    with said.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while not answers(port):
            if process.poll() is not None:
                raise ServerError(f"{name} does not start:\n{said.read_text(errors='replace')[-2000:]}")
            if time.perf_counter() - begun > LOADING:
                raise ServerError(f"{name} does not answer on port {port} after {LOADING:.0f} s")
            time.sleep(0.005)
        yield Server(name, process.pid, port, time.perf_counter() - begun)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Tells a server to end, and sees to it that nothing of it is left."""
    members = tree(process.pid)
    process.terminate()
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        for member in members:
            with suppress(ProcessLookupError):
                os.kill(member, 9)
        process.wait()


def answers(port: int) -> bool:
    """Whether somebody is there. A connection alone says little: the kernel takes it, as soon as anybody listens.

    Where TLS is spoken, this is no way to ask, and to be turned away is an answer.
    """
    with socket.socket() as probe:
        probe.settimeout(LOADING)
        try:
            probe.connect(("127.0.0.1", port))
            probe.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            probe.shutdown(socket.SHUT_WR)
            probe.recv(1)
        except ConnectionRefusedError:
            return False
        except OSError:  # a reset, sooner or later
            return True
        return True


def free_port() -> int:
    """A port of loopback on which nobody listens. Another program that looks for one is hardly given the same."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
