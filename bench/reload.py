"""What a reload costs those who ask meanwhile: `python -m bench.reload [--rows N] [--rate N]`.

A million mappings, clients on connections that are kept, each asking at a steady pace; then a changed file, and a
reload of them all. What is printed is how long answers took before and while it ran, and how many requests failed: none
may.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

CLIENTS = 16
BEFORE = 8.0
"""Seconds of asking before the reload."""
SITE = "site: old\nhosts: [old.example]\nmoves_to: https://new.example\nunmapped: keep-path\nmappings: [rows.csv]\n"
SITE_END = "status: 301\n"
ASK = b"GET /shop/product/%d-some-product-name?n=%d HTTP/1.1\r\nHost: old.example\r\nUser-Agent: bench\r\n\r\n"
WRONG = re.compile(rb"HTTP/1\.1 (?!301 )")


@dataclass
class Asking:
    """Many clients, and what they were answered: when each request was sent, and how many seconds its answer took."""

    port: int
    rows: int
    pause: float
    took: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ends: bool = False

    async def ask(self, number: int) -> None:
        """One client. Where its connection was said to be over, it opens another one."""
        while not self.ends:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            open_ = True
            while open_ and not self.ends:
                number = (number * 48_271 + 1) % self.rows
                sent = time.perf_counter()
                writer.write(ASK % (number, number))
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except (OSError, asyncio.IncompleteReadError) as error:
                    self.failures.append(repr(error))
                    break
                self.took.append((sent, time.perf_counter() - sent))
                if WRONG.match(head):
                    self.failures.append(head[:40].decode())
                open_ = b"Connection: close" not in head
                await asyncio.sleep(self.pause)
            writer.close()

    def milliseconds(self, since: float, until: float) -> list[float]:
        """What answers to requests of that time took, in order."""
        return sorted(took * 1000 for sent, took in self.took if since <= sent < until)


def main() -> None:
    """Prints a table; 1 if a request has failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=1000, help="requests a second, of all clients together")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(asyncio.run(measure(Path(folder), options.rows, options.rate)))


async def measure(folder: Path, rows: int, rate: int) -> int:
    """Measures, and prints. Gives the exit code."""
    (folder / "rulebook.yaml").write_text("targets: [new.example]\n")
    (folder / "old.yaml").write_text(SITE + SITE_END)
    lines = (f"/shop/product/{row}-some-product-name,https://new.example/products/{row}\n" for row in range(rows))
    (folder / "rows.csv").write_text("old,new\n" + "".join(lines))
    command = ["-m", "proxy", "serve", "--rules", str(folder), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    server = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--watch", "off", stderr=asyncio.subprocess.PIPE
    )
    try:
        ports = [await port_of(server), await port_of(server)]
        asking = Asking(ports[0], rows, CLIENTS / rate)
        clients = [asyncio.ensure_future(asking.ask(number)) for number in range(CLIENTS)]  # noqa: TID251 - awaited below
        began = time.perf_counter()
        await asyncio.sleep(BEFORE)
        with (folder / "rows.csv").open("a") as file:
            file.write("/one-more,https://new.example/one-more\n")
        reloads = time.perf_counter()
        said = await asyncio.to_thread(reload, ports[1])
        ended = time.perf_counter()
        await asyncio.sleep(1.0)
        asking.ends = True
        await asyncio.gather(*clients)
    finally:
        with suppress(ProcessLookupError):
            server.terminate()
        await server.communicate()
    print(f"{rows:,} rows, {os.cpu_count()} cores, {CLIENTS} clients; the reload took {ended - reloads:.1f} s: {said}")
    for name, times in (
        ("before", asking.milliseconds(began + 1, reloads)),
        ("while it ran", asking.milliseconds(reloads, ended)),
        ("afterwards", asking.milliseconds(ended, ended + 1)),
    ):
        print(f"{name:<14} {len(times):>7} answers   p50 {at(times, 0.5):6.2f} ms   p99 {at(times, 0.99):6.2f} ms")
    print(f"{len(asking.failures)} requests failed {asking.failures[:3] if asking.failures else ''}")
    return 1 if asking.failures else 0


def at(times: list[float], share: float) -> float:
    """The time that so many answers did not exceed."""
    return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def reload(port: int) -> str:
    """What becomes of a reload, once it is over."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/reload", b"{}", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return f"{answer.status} {answer.reason}"


async def port_of(server: asyncio.subprocess.Process) -> int:
    """The port of the next address that the server tells."""
    assert server.stderr is not None  # noqa: S101 - that is what PIPE means
    while line := (await server.stderr.readline()).decode():
        if (match := re.search(r"http://127\.0\.0\.1:(\d+)", line)) is not None:
            return int(match[1])
    sys.exit("the server does not start")


if __name__ == "__main__":
    main()
