"""`sunset serve` as a machine runs it, what there is to see of it from outside, and clients that keep it busy."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import orjson

from tests.edge.peers import Answer, Client, get, read_answer

TOP = Path(__file__).parent.parent.parent
PATIENCE = 60.0
"""Seconds after which something that should have happened will not, on a machine that is busy with other things too."""
GLANCE = 0.02
ESTABLISHED = "01"

Found = TypeVar("Found")


async def eventually(look: Callable[[], Awaitable[Found]]) -> Found:
    """What `look` finds once it finds something; nobody need answer until then."""
    found: Found | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not found:
                with suppress(OSError, EOFError):
                    found = await look()
                if not found:
                    await asyncio.sleep(GLANCE)
    assert found, "it did not happen"
    return found


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""

    async def look() -> bool:
        return bool(holds())

    await eventually(look)


class Starting(Protocol):
    """Starts `sunset serve` with the folder of rules and more arguments; it is killed with the test."""

    async def __call__(self, rules: Path, *arguments: str, ready: bool = True, **how: Any) -> Program: ...


@dataclass
class Program:
    """A server that was started as a program, by its process and its log."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0
    admin: int = 0

    @classmethod
    def start(cls, rules: Path, log: Path, *arguments: str, **how: Any) -> Self:
        """On free ports, unless arguments say otherwise."""
        command = [*how.pop("launch", []), sys.executable, "-m", "proxy", "serve", "--rules", str(rules), *arguments]
        for option in ("--listen", "--admin"):
            if option not in arguments:
                command += [option, "127.0.0.1:0"]
        environment = {**os.environ, "PYTHONPATH": str(TOP), **how.pop("variables", {})}
        with log.open("ab") as stderr:
            return cls(subprocess.Popen(command, env=environment, stderr=stderr, **how), log)

    async def ready(self) -> None:
        """Wait until clients are answered."""
        await until(lambda: "metrics on" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()
        self.port = int(self.found(r"listening on http://[^ ]+:(\d+)")[0])
        self.admin = int(self.found(r"metrics on http://[^ ]+:(\d+)/")[0])

    def said(self) -> str:
        """All of its log until now."""
        return self.log.read_text("utf-8")

    def found(self, pattern: str) -> list[str]:
        """What stands in its log."""
        return re.findall(pattern, self.said())

    async def logs(self, pattern: str, times: int = 1) -> list[str]:
        """Wait until something stands in its log, so many times."""
        await until(lambda: len(self.found(pattern)) >= times)
        return self.found(pattern)

    async def ask(self, request: bytes, port: int | None = None) -> Answer:
        """One request on a connection of its own, to where clients are answered."""
        async with await Client.connect("127.0.0.1", port or self.port) as client:
            client.send(request)
            async with asyncio.timeout(PATIENCE):
                return await read_answer(client.reader)

    async def ask_desk(self, path: str, body: bytes | None = None, *fields: bytes) -> Answer:
        """One request to the admin listener; a POST where there is a body."""
        request = get(path.encode(), b"127.0.0.1", *fields)
        if body is not None:
            more = (b"Content-Type: application/json", b"Content-Length: %d" % len(body), *fields)
            request = get(path.encode(), b"127.0.0.1", *more, method=b"POST") + body
        return await self.ask(request, self.admin)

    async def status(self) -> dict[str, Any]:
        """What /status tells."""
        answer = await self.ask_desk("/status")
        assert answer.status == 200, answer
        told: dict[str, Any] = orjson.loads(answer.body)
        return told

    async def metrics(self) -> dict[str, float]:
        """What /metrics shows, by name and labels as they are written."""
        lines = (await self.ask_desk("/metrics")).body.decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    async def reload(self, **body: bool) -> tuple[int, dict[str, Any]]:
        """What POST /reload answers."""
        answer = await self.ask_desk("/reload", orjson.dumps(body))
        return answer.status, orjson.loads(answer.body)

    async def workers(self) -> list[dict[str, Any]]:
        """Those of the generation in use that accept."""
        return [one for one in (await self.status())["workers"] if one["age"] == "current" and one["accepts"]]

    async def pids(self, number: int = 1, without: Collection[int] = ()) -> list[int]:
        """Wait until so many of these workers accept, none of them one of those named, and give their processes."""

        async def look() -> list[int]:
            found = [worker["pid"] for worker in await self.workers()]
            return found if len(found) >= number and not set(found) & set(without) else []

        return await eventually(look)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for its end, and give its exit code."""
        await until(lambda: self.process.poll() is not None)
        assert self.process.returncode is not None
        return self.process.returncode


def children_of(pid: int) -> list[int]:
    """The processes that were started by one."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def parent_of(pid: int) -> int:
    """The process that has started one, or has adopted it."""
    return int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])


def family(pid: int) -> set[int]:
    """A process, and all that come of it."""
    return {pid}.union(*(family(child) for child in children_of(pid)))


def lives(pid: int) -> bool:
    """Whether there is such a process that is not just waiting to be buried."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def clients_of(pid: int) -> set[int]:
    """The ports from which the clients come whose connections a process has."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            inodes.add(str(descriptor.readlink()))
    rows = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:])
    return {
        int(row[2].partition(":")[2], 16) for row in rows if row[3] == ESTABLISHED and f"socket:[{row[9]}]" in inodes
    }


@dataclass
class Failure:
    """A request that was not answered as it should have been."""

    port: int
    reason: str


@dataclass
class Load:
    """Clients that ask one request after the other, each on its connection until that is closed in an orderly way.

    With `fresh` each request comes on a connection of its own; `before` is what each connection begins with.
    """

    port: int
    clients: int = 8
    fresh: bool = False
    before: bytes = b""
    answered: int = 0
    failures: list[Failure] = field(default_factory=list)
    locations: set[bytes] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._over = False
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        for number in range(self.clients):
            self._tasks.create_task(self._keep_asking(number))
        await self.some()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over = True
        await self._tasks.__aexit__(kind, error, traceback)

    async def some(self, number: int = 200) -> None:
        """Wait until so many more requests were answered."""
        enough = self.answered + number
        await until(lambda: self.answered >= enough)

    def p99(self, since: int = 0) -> float:
        """Milliseconds within which 99 of 100 answers came, of those from the given one on."""
        return quantiles(self.seconds[since:], n=100)[98] * 1000

    async def _keep_asking(self, number: int) -> None:
        while not self._over:
            port = 0
            try:
                async with await Client.connect("127.0.0.1", self.port) as client:
                    port = client.writer.get_extra_info("sockname")[1]
                    client.send(self.before)
                    await self._ask(client, number)
            except (OSError, EOFError, TimeoutError) as error:
                self.failures.append(Failure(port, repr(error)))
                await asyncio.sleep(GLANCE)

    async def _ask(self, client: Client, number: int) -> None:
        """One request after the other, for as long as the connection lasts."""
        while not self._over:
            began = perf_counter()
            client.send(get(b"/page/%d?n=%d" % (number, self.answered)))
            async with asyncio.timeout(PATIENCE):
                answer = await read_answer(client.reader)
            self.seconds.append(perf_counter() - began)
            if answer.status == 301:
                self.answered += 1
                self.locations.add(answer.one(b"Location").rpartition(b"/page/")[0])
            else:
                self.failures.append(Failure(client.writer.get_extra_info("sockname")[1], f"status {answer.status}"))
            if self.fresh or answer.all(b"Connection") == [b"close"]:
                return
