"""Deadlines: they are moved often, and pass once."""

import asyncio

from proxy.edge.deadline import Deadline


async def after(seconds: float) -> None:
    """Wait for a deadline that was set later than those that are looked at."""
    passed = asyncio.Event()
    Deadline(passed.set).set(seconds)
    await passed.wait()


async def test_it_passes_once() -> None:
    passed = asyncio.Event()
    times = 0

    def expired() -> None:
        nonlocal times
        times += 1
        passed.set()

    deadline = Deadline(expired)
    deadline.set(0.01)
    async with asyncio.timeout(5):
        await passed.wait()
    await after(0.03)
    assert times == 1


async def test_it_may_be_moved_to_and_fro() -> None:
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[float] = loop.create_future()
    deadline = Deadline(lambda: passed.set_result(loop.time()))
    began = loop.time()
    for seconds in (0.01, 60.0, 0.02, 0.05):
        deadline.set(seconds)
    async with asyncio.timeout(5):
        assert await passed - began >= 0.045


async def test_it_does_not_pass_once_it_is_taken_back() -> None:
    passed: list[str] = []
    cleared, cancelled = Deadline(lambda: passed.append("cleared")), Deadline(lambda: passed.append("cancelled"))
    for deadline in (cleared, cancelled):
        deadline.set(0.01)
    cleared.clear()
    cancelled.cancel()
    await after(0.05)
    assert not passed
    cleared.set(0.01)
    await after(0.05)
    assert passed == ["cleared"]
