"""A running `sunset serve`: what it answers, what it says and counts, and what it takes of the machine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import orjson
from prometheus_client.parser import text_string_to_metric_families

TOP = Path(__file__).parent.parent.parent
PATIENCE = 60.0
"""Seconds after which something that should have happened will not, on a machine that has other things to do."""

GLANCE = 0.02
"""Seconds between two looks at what nobody tells of."""

Found = TypeVar("Found")
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def wait_until(look: Callable[[], Found], is_so: Callable[[Found], bool]) -> Found:
    """Look until what is seen is so, and give that."""
    began = time.monotonic()
    while not is_so(found := look()):
        assert time.monotonic() - began < PATIENCE, f"it did not happen: {found}"
        time.sleep(GLANCE)
    return found


class Start(Protocol):
    """Starts a server: arguments of `sunset serve`, a rule folder, how many files it may open, and its environment.

    `launch` is put in front of its command.
    """

    def __call__(
        self,
        *arguments: str,
        rules: Path | None = None,
        files: int | None = None,
        launch: Sequence[str] = (),
        **variables: str,
    ) -> Running: ...


class Running:
    """A server of its own processes, with one worker unless it is told otherwise: then figures are those of one.

    `lines` is what it has said so far.
    """

    def __init__(
        self,
        folder: Path,
        arguments: tuple[str, ...],
        *,
        rules: Path | None,
        variables: Mapping[str, str],
        files: int | None = None,
        launch: Sequence[str] = (),
    ) -> None:
        self.lines: list[str] = []
        self._folder = folder
        self._arguments = ("--rules", str(rules or TOP / "rules"), *arguments)
        self._variables = variables
        self._launch = (*launch, *(() if files is None else ("prlimit", f"--nofile={files}")))
        self._up = threading.Event()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "proxy", "serve", "--admin", "127.0.0.1:0"]
        if "--listen" not in self._arguments:
            command += ["--listen", "127.0.0.1:0"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SUNSET_")}
        self.process = subprocess.Popen(
            [*self._launch, *command, *self._arguments],
            cwd=self._folder,
            env={**environment, "PYTHONPATH": str(TOP), "SUNSET_WORKERS": "1", **self._variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()
        self._up.wait(PATIENCE)
        said = "".join(self.lines)
        ports = re.search(r"listening on http://\S+:(\d+)\n(?:.*\n)*?.*metrics on http://\S+:(\d+)/", said)
        if ports is None:
            self._end()
            raise AssertionError(f"it did not start: {said}")
        self.port, self.admin = int(ports[1]), int(ports[2])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self._listening.join(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()

    @property
    def tls_port(self) -> int:
        """Where it speaks TLS."""
        port = re.search(r"listening on https://\S+:(\d+)", "".join(self.lines))
        assert port is not None
        return int(port[1])

    def connect(self) -> socket.socket:
        """A connection of a client."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def tell(self, data: bytes) -> bytes:
        """All that is answered to `data` on a connection of its own, until that ends; a reset is an end too."""
        with self.connect() as sock:
            answer = b""
            try:
                sock.sendall(data)
                while received := sock.recv(1 << 16):
                    answer += received
            except ConnectionError:
                pass
            return answer

    def series(self) -> Series:
        """What it has counted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=PATIENCE) as response:
            document = response.read().decode()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(document)
            for sample in family.samples
        }

    def status(self) -> dict[str, Any]:
        """What /status tells."""
        return self._ask_desk("/status")[1]

    def reload(self, *, allow_shrink: bool = False) -> tuple[int, dict[str, Any]]:
        """Ask for a reload as `sunset reload` does: the status that it gets, and what it is told."""
        return self._ask_desk("/reload", orjson.dumps({"allow_shrink": allow_shrink}))

    def _ask_desk(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        url, fields = f"http://127.0.0.1:{self.admin}{path}", {"Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, fields), timeout=PATIENCE) as response:
                return response.status, orjson.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, orjson.loads(error.read())

    def memory(self) -> float:
        """Resident memory in MiB, of all its processes together."""
        return sum(_memory(pid, "VmRSS") for pid in self._processes()) / 1024

    def peak_memory(self) -> float:
        """The most that it ever was, likewise."""
        return sum(_memory(pid, "VmHWM") for pid in self._processes()) / 1024

    def descriptors(self) -> int:
        """Open files and sockets, of all its processes together."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self._processes())

    def _processes(self) -> Iterator[int]:
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text("ascii").split())

    def _listen(self) -> None:
        assert self.process.stderr is not None
        last = "rehearsing" if "--at" in self._arguments else "metrics on"  # of what is said at the start
        for line in self.process.stderr:
            self.lines.append(line)
            if last in line:
                self._up.set()
        self._up.set()


def _memory(pid: int, name: str) -> int:
    """In KiB."""
    match = re.search(rf"^{name}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text("ascii"), re.MULTILINE)
    assert match is not None
    return int(match[1])
