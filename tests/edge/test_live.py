"""The table that holds now: swapped at the instant, by timers as the server has them."""

import asyncio
from datetime import datetime, timedelta

import pytest

from proxy.core.schedule import Phase, Schedule
from proxy.core.table import Table
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Limits
from proxy.edge.live import LiveTable
from tests.edge.peers import PATIENCE, Client, Originating, Serving, ask, get
from tests.edge.sites import CUTOVER, NOTICE, notice, rulebook, site

MOMENT = timedelta(milliseconds=250)


def phase(table: Table) -> Phase:
    return table.sites[0].phase


class Swaps:
    """Notes which table came when, and lets a test wait for the next."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seen: list[tuple[Phase, datetime]] = []
        self.came = asyncio.Event()

    def __call__(self, table: Table) -> None:
        self.seen.append((phase(table), self.clock.now()))
        self.came.set()

    async def next(self) -> tuple[Phase, datetime]:
        self.came.clear()
        async with asyncio.timeout(PATIENCE):
            await self.came.wait()
        return self.seen[-1]


async def test_the_table_is_swapped_at_the_instant_and_not_before() -> None:
    clock = Clock(CUTOVER - MOMENT)
    swaps = Swaps(clock)
    live = LiveTable(rulebook(), clock, swapped=swaps)
    live.start()
    assert [seen for seen, _ in swaps.seen] == [Phase.NOTICE]
    came, when = await swaps.next()
    live.stop()
    assert came is Phase.REDIRECT
    assert timedelta() <= when - CUTOVER < timedelta(seconds=1)  # a busy machine is no earlier, but later


async def test_milestones_that_follow_each_other_quickly_are_all_kept() -> None:
    schedule = {"notice": NOTICE, "cutover": NOTICE + MOMENT, "end": NOTICE + 2 * MOMENT}
    clock = Clock(NOTICE - MOMENT)
    swaps = Swaps(clock)
    live = LiveTable(rulebook(site(schedule=Schedule(schedule))), clock, swapped=swaps)
    live.start()
    for expected in (Phase.NOTICE, Phase.REDIRECT, Phase.GONE):
        assert (await swaps.next())[0] is expected
    live.stop()
    assert live.table.until is None


class Wall:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()


async def test_a_machine_whose_clock_jumps_forward_crosses_when_it_is_looked_at_next() -> None:
    wall = Wall(CUTOVER - timedelta(days=3))
    clock = Clock(wall=wall)
    swaps = Swaps(clock)
    live = LiveTable(rulebook(), clock, swapped=swaps, look_every=0.02)
    live.start()
    wall.at = CUTOVER
    assert (await swaps.next())[0] is Phase.REDIRECT
    live.stop()


async def test_a_machine_whose_clock_is_set_back_does_not_undo_a_cutover() -> None:
    wall = Wall(CUTOVER)
    live = LiveTable(rulebook(), Clock(wall=wall))
    wall.at = CUTOVER - timedelta(hours=1)
    live.refresh()
    live.stop()
    assert phase(live.table) is Phase.REDIRECT


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (NOTICE - timedelta(microseconds=1), Phase.BEFORE),
        (NOTICE, Phase.NOTICE),
        (CUTOVER - timedelta(microseconds=1), Phase.NOTICE),
        (CUTOVER, Phase.REDIRECT),
    ],
)
async def test_a_rehearsal_that_is_moved_shows_the_phase_of_that_instant(instant: datetime, expected: Phase) -> None:
    clock = Clock(CUTOVER + timedelta(days=1), steady=lambda: 0.0)
    live = LiveTable(rulebook(), clock)
    live.start()
    clock.move_to(instant)
    live.refresh()
    assert phase(live.table) is expected
    live.stop()


async def test_a_running_server_crosses_the_cutover_by_itself(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    book = rulebook(site(origins=(origin.origin,), notice=notice()))
    many = Limits(requests=1_000_000)  # in that time an idle machine answers more than one connection may have
    server = await serving(book, clock=Clock(CUTOVER - timedelta(days=1)), limits=many)
    seen: list[tuple[int, datetime, datetime]] = []
    async with await Client.to(server) as client:
        client.send(get(b"/x"))
        await client.answer()  # all that a first request needs is there from now on
        server.move_to(CUTOVER - timedelta(milliseconds=400))
        status, location = 200, []
        while status == 200:
            before = server.clock.now()
            client.send(get(b"/x?y=1"))
            answer = await client.answer()
            status = answer.status
            seen.append((status, before, server.clock.now()))
            location = answer.all(b"Location")
    assert [status for status, _, _ in seen[:-1]] == [200] * (len(seen) - 1)
    assert len(seen) > 1
    assert seen[-1][0] == 301
    # nobody was forwarded who asked after the cutover (timers have a granularity of a millisecond) …
    assert all(asked < CUTOVER + timedelta(milliseconds=20) for _, asked, _ in seen[:-1])
    # … and nobody was redirected before it
    assert seen[-1][2] >= CUTOVER
    assert location == [b"https://www.mi.com/uk/x?y=1"]


async def test_an_answer_under_way_ends_as_it_began(serving: Serving, originating: Originating) -> None:
    origin = await originating(hold=True)
    server = await serving(rulebook(site(origins=(origin.origin,))), at=CUTOVER - timedelta(days=1))
    async with await Client.to(server) as client:
        client.send(get(b"/slow"))
        await origin.asked.wait()
        server.move_to(CUTOVER)
        assert (await ask(server, get(b"/slow"))).status == 301
        origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
        assert (await client.answer()).body == b"old"
