"""All of it at the same time: good clients until the end, and around them everything that is to be withstood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.machine import Machine
from proxy.edge.clock import Clock
from tests.soak.faults import Faults
from tests.soak.nuisances import DRIPPING, Nuisance
from tests.soak.results import Results, milliseconds
from tests.soak.samples import Sample, watch
from tests.soak.stage import Stage
from tests.soak.tally import Tally
from tests.soak.visitors import Visitor
from tests.soak.visits import visits

EACH: Final = 2
"""Clients of each kind."""

Tell = Callable[[float, str], None]


async def soak(folder: Path, seconds: float, tell: Tell) -> Results:
    """A run of so many seconds, in a folder that is empty."""
    samples: list[Sample] = []
    async with Stage(folder).set() as stage:
        tally = Tally()
        faults, nuisance = Faults(stage, tally), Nuisance(stage, tally)
        around = [
            faults.change_rules(),
            faults.kill_workers(),
            faults.swap_certificates(),
            nuisance.send_malformed_requests(),
            nuisance.shake_hands_badly(),
            *(nuisance.drip(name) for name in DRIPPING for _ in range(EACH)),
            *(nuisance.sip() for _ in range(EACH)),
            watch(stage, tally, samples),
            _report(tally, tell),
        ]
        async with asyncio.TaskGroup() as tasks:
            trouble = [tasks.create_task(each) for each in around]
            async with asyncio.TaskGroup() as good:
                for tls in (False, True):
                    for fresh in (False, True):
                        for _ in range(EACH):
                            visitor = Visitor(stage, tally, visits(stage.versions), tls, fresh)
                            good.create_task(visitor.stay(seconds))
            for task in trouble:
                task.cancel()
        lasted = tally.now()
        stage.program.terminate()
        code = await stage.program.ended()
        said = stage.program.said()
    return Results(
        machine=str(Machine.this()),
        day=f"{Clock().now():%Y-%m-%d}",
        seconds=lasted,
        good=dict(tally.good),
        retried=dict(tally.retried),
        nuisances=dict(tally.nuisances),
        failed=tally.failed,
        failures=tally.failures,
        milliseconds=milliseconds(tally.latencies),
        events=tally.events,
        samples=samples,
        certificates=stage.certificates.counted,
        tracebacks=said.count("Traceback"),
        exit_code=code,
    )


async def _report(tally: Tally, tell: Tell) -> None:
    """How far it is, every second."""
    while True:
        tell(tally.now(), f"{tally.good.total():,} good, {tally.failed} failed, {tally.retried.total()} again")
        await asyncio.sleep(1)
