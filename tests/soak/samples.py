"""What the server takes of the machine, second by second."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.process import tree
from tests.soak.stage import Stage
from tests.soak.tally import Tally

EVERY: Final = 1.0


@dataclass(frozen=True)
class Sample:
    """One look at all processes of the server."""

    second: float
    memory: float
    """MiB, proportional: a page that several processes share is counted once."""
    descriptors: int
    processes: int
    good: int
    """Right answers to good clients since the look before."""


async def watch(stage: Stage, tally: Tally, samples: list[Sample]) -> None:
    """Look every second until cancelled."""
    before = 0
    while True:
        await asyncio.sleep((len(samples) + 1) * EVERY - tally.now())
        memory, descriptors, processes = await asyncio.to_thread(look, stage.program.process.pid)
        good = tally.good.total()
        samples.append(Sample(tally.now(), memory, descriptors, processes, good - before))
        before = good


def look(pid: int) -> tuple[float, int, int]:
    """Memory in MiB, descriptors, and how many processes; some of them end meanwhile."""
    memory = descriptors = processes = 0
    for member in tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text("ascii")
            opened = len(list(Path(f"/proc/{member}/fd").iterdir()))
            if found := re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE):
                memory += int(found[1])
                descriptors += opened
                processes += 1
    return memory / 1024, descriptors, processes
