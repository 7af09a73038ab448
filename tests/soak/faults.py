"""What is done to the server: rules that change, workers that are killed, certificates that are swapped."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import Final

from tests.soak.stage import Stage
from tests.soak.tally import Tally

RELOADED: Final = "rules changed"
KILLED: Final = "worker killed"
SWAPPED: Final = "certificate swapped"
EVERY: Final = {RELOADED: 1.0, KILLED: 10.0, SWAPPED: 15.0}
"""Seconds between two of them."""


class Faults:
    """All of them, each again and again until it is cancelled."""

    def __init__(self, stage: Stage, tally: Tally) -> None:
        self._stage = stage
        self._tally = tally

    async def change_rules(self) -> None:
        """By turns the server finds out by itself, is sent SIGHUP, and is told as `sunset reload` does."""
        async with asyncio.TaskGroup() as reloads:
            async for number in self._again(RELOADED):
                self._stage.change_rules(number)
                if number % 3 == 1:
                    self._stage.program.process.send_signal(signal.SIGHUP)
                elif number % 3 == 2:
                    reloads.create_task(self._reload())

    async def kill_workers(self) -> None:
        """One that accepts, whichever it is."""
        async for _ in self._again(KILLED):
            victim = random.choice(await self._stage.program.workers())
            self._tally.happened(KILLED)
            with suppress(ProcessLookupError):  # it has just been replaced
                os.kill(victim["pid"], signal.SIGKILL)

    async def swap_certificates(self) -> None:
        async for _ in self._again(SWAPPED):
            self._stage.swap_certificate()

    async def _reload(self) -> None:
        status, told = await self._stage.program.reload()
        if status != 200:
            self._tally.fail(f"reload: {status} {told['message']}")

    async def _again(self, what: str) -> AsyncIterator[int]:
        """1, 2, 3… each at its second, as well as a busy machine can."""
        for number in count(1):
            await asyncio.sleep(number * EVERY[what] - self._tally.now())
            if what != KILLED:  # known only once it is found whom to kill
                self._tally.happened(what)
            yield number
