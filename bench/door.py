"""What the front door takes for a redirect, without sockets: `python bench/door.py`.

CPU time in microseconds, as the best of many runs (other programs on the machine only ever add): all that is done from
the bytes of a request to the bytes of its answer, and the larger parts of that.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.edge.door import Front

RULES = Path(__file__).parent.parent / "rules"
AFTER = datetime(2025, 3, 1, tzinfo=UTC)
REQUESTS = 20_000
HEAD = (
    b"GET /de/product/poco-f%d/?utm_source=mail&n=%d HTTP/1.1\r\nHost: po.co\r\nConnection: keep-alive\r\n"
    b"Upgrade-Insecure-Requests: 1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.%d\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n"
)


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
    from proxy.edge.door import Door  # noqa: PLC0415 - `--help` should not wait for it
    from proxy.wire.plain_head import PLAIN_FIELDS  # noqa: PLC0415

    front = made_front()
    door = Door(front)
    door.connection_made(cast("Any", Nowhere()))
    same = [HEAD % (number, number, 1) for number in range(REQUESTS)]
    others = [HEAD % (number, number, number) for number in range(REQUESTS)]
    fields = [head.partition(b"\r\n")[2] for head in others]
    show("a redirect, from a client whose words are known", same, door.data_received)
    show("a redirect, from one that is new every time", others, door.data_received)
    show("  its fields, read", fields, PLAIN_FIELDS.match)
    show("  the decision", same, lambda _: front.decide(b"po.co", b"/de/product/poco-f6/", b"c=red", b"GET", False))
    tens = [b"".join(same[at : at + 10]) for at in range(0, 2000, 10)]
    show("one of ten redirects that come together", tens, door.data_received, 10)


def made_front() -> Front:
    """A front door with the shipped rules, as a server makes it."""
    from proxy.edge.clients import Clients  # noqa: PLC0415
    from proxy.edge.clock import Clock  # noqa: PLC0415
    from proxy.edge.connection import Hall  # noqa: PLC0415
    from proxy.edge.counts import Counts  # noqa: PLC0415
    from proxy.edge.door import Front  # noqa: PLC0415
    from proxy.edge.log import Sampled  # noqa: PLC0415
    from proxy.edge.settings import Limits, Settings  # noqa: PLC0415
    from proxy.rulebook.load import load  # noqa: PLC0415
    from proxy.wire.pages import Pages  # noqa: PLC0415

    settings, clock, rulebook = Settings(limits=Limits(requests=2**31 - 1)), Clock(AFTER), load(RULES)
    counts, sampled = Counts(rulebook), Sampled(clock.steady, settings.timeouts.log_line)
    clients = Clients(settings, clock, counts, sampled)
    hall = Hall(cast("Any", None), settings=settings, clock=clock, counts=counts, sampled=sampled, clients=clients)
    front = Front(hall, Pages(), None, None, secure=False)
    front.use(rulebook.at(AFTER))
    return front


def show(name: str, given: list[bytes], run: Callable[[bytes], object], each: int = 1) -> None:
    """Prints what `run` takes for one of them."""
    best = float("inf")
    for _ in range(20):
        began = time.process_time()
        for one in given:
            run(one)
        best = min(best, time.process_time() - began)
    print(f"{name:<50} {best / len(given) / each * 1e6:6.2f} µs")


if __name__ == "__main__":
    main()
