"""Where an origin is: how often its name is looked up."""

import asyncio
import socket

import pytest

from proxy.core.model import Origin
from proxy.edge.configuration.settings import Timeouts
from proxy.edge.origins.addresses import Addresses, is_address
from proxy.edge.origins.resolver import Address, OriginResolver

OLD = Origin("http", "old.example", 8080)
TIMEOUTS = Timeouts(dns=30, dns_answer=0.2)


class Zone:
    """Answers when it is told to, with an address or with a failure."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()
        self.fails = False

    async def __call__(self, _host: str, port: int) -> list[Address]:
        self.asked += 1
        await self.answers.wait()
        if self.fails:
            raise OSError(None, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.216.34", port))]


class Watch:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def known_by(zone: Zone, watch: Watch) -> Addresses:
    return Addresses(OriginResolver((), TIMEOUTS, steady=watch, lookup=zone), TIMEOUTS.dns, steady=watch)


async def test_a_name_is_looked_up_once_for_all_who_wait_and_again_after_its_time() -> None:
    zone, watch = Zone(), Watch()
    addresses = known_by(zone, watch)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(addresses.of(OLD)) for _ in range(5)]
        await asyncio.sleep(0)
        zone.answers.set()
    assert [task.result()[0][4] for task in waiting] == [("93.184.216.34", 8080)] * 5
    assert zone.asked == 1
    watch.seconds += TIMEOUTS.dns - 1
    await addresses.of(OLD)
    assert zone.asked == 1
    watch.seconds += 1
    await addresses.of(OLD)
    assert zone.asked == 2


async def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    zone = Zone()
    addresses = known_by(zone, Watch())
    async with asyncio.TaskGroup() as tasks:
        first, second = [tasks.create_task(addresses.of(OLD)) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        zone.answers.set()
    assert first.cancelled()
    assert len(second.result()) == 1
    assert zone.asked == 1


async def test_a_failure_is_for_all_who_wait_and_the_next_one_asks_again() -> None:
    zone = Zone()
    zone.fails = True
    zone.answers.set()
    addresses = known_by(zone, Watch())
    failures = await asyncio.gather(addresses.of(OLD), addresses.of(OLD), return_exceptions=True)
    assert [type(failure) for failure in failures] == [OSError, OSError]
    assert zone.asked == 1
    zone.fails = False
    assert await addresses.of(OLD)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%1"])
async def test_an_address_is_where_it_is_and_nobody_is_asked(host: str) -> None:
    zone = Zone()
    (address,) = await known_by(zone, Watch()).of(Origin("http", host, 8080))
    assert address[4][:2] == (host.partition("%")[0], 8080)
    assert zone.asked == 0


@pytest.mark.parametrize(
    ("host", "written"), [("127.0.0.1", True), ("::1", True), ("old.example", False), ("1", False)]
)
def test_an_address_is_no_name(host: str, *, written: bool) -> None:
    assert is_address(host) is written
