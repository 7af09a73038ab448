"""What the front door takes for a redirect, without sockets: `python -m bench.door`.

The rules and the requests are those of `make bench`. CPU time in microseconds, as the best of many runs (other programs
on the machine only ever add): all that is done from the bytes of a request to the bytes of its answer, and the larger
parts of that.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from bench.ask import heads
from bench.peers.sunset import written
from bench.rules import HOST, Prefixes
from proxy.edge.clients import Clients
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Limits, Settings
from proxy.edge.connection import Hall
from proxy.edge.counts import Counts
from proxy.edge.door import Door, Front
from proxy.edge.log import Sampled
from proxy.rulebook.load import load
from proxy.wire.pages import Pages
from proxy.wire.plain_head import PLAIN_FIELDS

AFTER = datetime(2025, 3, 1, tzinfo=UTC)
RUNS = 40
TOGETHER = 10


class Nowhere:
    """Takes answers, and forgets them."""

    def write(self, data: bytes) -> None:
        """An answer."""

    def get_extra_info(self, name: str) -> object:  # noqa: ARG002 - as transports have it
        """There is nothing to know."""
        return None


def main() -> None:
    """Prints a table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    asyncio.run(measure())


async def measure() -> None:
    """Makes the figures, and prints them."""
    front = made_front()
    door = Door(front)
    door.connection_made(cast("Any", Nowhere()))
    known = heads(Prefixes(), close=False).split(b"\0")
    new = [head.replace(b"Chrome/", b"Chrome/%d." % number) for number, head in enumerate(known) if b"Chrome/" in head]
    paths = [head.split(b" ", 2)[1].partition(b"?") for head in known]
    asked = [(HOST.encode(), path, query if mark else None, b"GET", False) for path, mark, query in paths]
    show("a redirect, from a client whose words are known", known, door.data_received)
    show("a redirect, from one that is new every time", new, door.data_received)
    show("  its fields, read", [head.partition(b"\r\n")[2] for head in new], PLAIN_FIELDS.match)
    show("  the decision", asked, lambda parts: front.decide(*parts))
    tens = [b"".join(known[at : at + TOGETHER]) for at in range(0, len(known), TOGETHER)]
    show("one of ten redirects that come together", tens, door.data_received, TOGETHER)


def made_front() -> Front:
    """A front door with the rules of `keep-alive`, as a server makes it."""
    settings, clock = Settings(limits=Limits(requests=2**31 - 1)), Clock(AFTER)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in written(Prefixes(), Path(folder)).items():
            (Path(folder) / name).write_text(text)
        rulebook = load(Path(folder))
    counts, sampled = Counts(rulebook), Sampled(clock.steady, settings.timeouts.log_line)
    clients = Clients(settings, clock, counts, sampled)
    hall = Hall(cast("Any", None), settings=settings, clock=clock, counts=counts, sampled=sampled, clients=clients)
    front = Front(hall, Pages(), None, None, secure=False)
    front.use(rulebook.at(AFTER))
    return front


def show(name: str, given: Sequence[Any], run: Callable[[Any], object], each: int = 1) -> None:
    """Prints what `run` takes for one of them."""
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        for one in given:
            run(one)
        best = min(best, time.process_time() - began)
    print(f"{name:<50} {best / len(given) / each * 1e6:6.2f} µs")


if __name__ == "__main__":
    main()
