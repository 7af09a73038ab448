"""The benchmark works, on a small scale: what it measures is for quiet machines to say."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.process import tree
from bench.results import Results
from bench.scenario import SCENARIOS, SUNSET
from tests.bench.conftest import Bench


def said(process: subprocess.Popen[str]) -> str:
    """What it prints, once it ended well."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out


def test_all_servers_answer_alike(bench: Bench) -> None:
    assert "every server answers as it should" in said(bench("--rounds", "0"))


def test_every_scenario_is_measured(bench: Bench) -> None:
    results = Results.model_validate_json(
        said(bench("--servers", "Sunset", "--rounds", "1", "--seconds", "1", "--json"))
    )
    assert [each.name for each in results.scenarios] == [each.name for each in SCENARIOS if not SUNSET.lacks(each.load)]
    for row in (row for scenario in results.scenarios for row in scenario.rows):
        (turn,) = row.rounds
        assert turn.requests > 0
        assert 0 < turn.worker_microseconds <= turn.microseconds
        assert row.memory_kib > 1000


def descendants(process: subprocess.Popen[str], name: str) -> Iterator[int]:
    """Processes of that name below it."""
    for pid in tree(process.pid):
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                yield pid
        except FileNotFoundError:  # it ended between being listed and being looked at
            continue


def test_nothing_is_left_of_a_run_that_is_ended(bench: Bench) -> None:
    process = bench("--only", "new-connection", "--servers", "nginx", "--rounds", "1", "--seconds", "100")
    until = time.monotonic() + 60
    while not list(descendants(process, "wrk")):
        assert process.poll() is None
        assert time.monotonic() < until
    below = tree(process.pid)[1:]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    until = time.monotonic() + 10  # who has lost its parent is buried by another, which takes its time
    while left := [pid for pid in below if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < until, left


def test_a_scenario_that_is_not_there_is_wrong_use(bench: Bench) -> None:
    process = bench("--only", "keep-alive,warp")
    assert "warp" in process.communicate(timeout=60)[1]
    assert process.returncode == 2
