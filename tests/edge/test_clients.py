"""Who is connected, in numbers: what it costs to come and go among many, and who is counted as one."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from proxy.edge.clients import Clients
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Limits, Settings
from proxy.edge.counts import Counts
from proxy.edge.log import Sampled
from tests.edge.sites import rulebook

MANY = 20_000


class Somebody:
    """A connection of which nothing but its address is of interest here."""

    def __init__(self, number: int) -> None:
        self.peer = str(ip_address(number))

    def look(self, tick: int) -> None: ...

    def conclude(self) -> None: ...

    def retire(self) -> None: ...

    def cut_off(self) -> None: ...


def clients(**limits: int) -> Clients:
    sampled = Sampled(Clock().steady, every=1.0)
    return Clients(Settings(limits=Limits(**limits)), Clock(), Counts(rulebook()), sampled)


def test_to_leave_among_many_costs_no_more_than_to_leave_among_few(
    record_property: Callable[[str, object], None],
) -> None:
    connected = clients(connections=MANY)
    everybody = [Somebody(number) for number in range(1, MANY + 1)]
    assert all(map(connected.admit, everybody))
    began = time.process_time()
    for somebody in everybody[: MANY // 4]:
        connected.left(somebody)
    cost = (time.process_time() - began) / (MANY // 4) * 1e6
    record_property("figure", f"T27  CPU us for one of {MANY:,} connections of as many clients to end: {cost:.1f}")
    assert cost < 100


async def test_a_second_is_a_second_also_where_the_clock_was_set_back() -> None:
    """Or every timeout would be over hundreds of times too soon."""
    shown = iter((1000.99, 940.0))
    latest = 940.0

    def wall() -> float:
        return next(shown, latest)

    connected = Clients(Settings(), Clock(wall=wall), Counts(rulebook()), Sampled(Clock().steady, every=1.0))
    connected.start()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.Event().wait()
    connected.stop()
    assert 1 <= connected.tick <= 3


def test_nobody_has_more_who_comes_and_goes_while_others_are_few() -> None:
    most = 8
    connected = clients(client_connections=most)
    mine = [Somebody(1) for _ in range(most)]
    other = Somebody(2)
    assert all(map(connected.admit, mine))
    assert connected.admit(other)  # from now on everybody is counted
    for somebody in mine[:3]:
        connected.left(somebody)
    assert all(map(connected.admit, mine[:3]))
    assert not connected.admit(Somebody(1))


def test_who_has_left_may_come_again() -> None:
    connected = clients(client_connections=2)
    mine = [Somebody(1) for _ in range(3)]
    others = [Somebody(number) for number in range(2, 6)]
    assert all(map(connected.admit, (*others, *mine[:2])))
    assert not connected.admit(mine[2])
    connected.left(mine[0])
    assert connected.admit(mine[2])
    assert not connected.admit(mine[0])
    for somebody in (*others, *mine):
        connected.left(somebody)
    assert len(connected) == 0
    assert all(map(connected.admit, mine[:2]))
    assert not connected.admit(mine[2])
