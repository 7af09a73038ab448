"""What processes cost is read for all of a tree."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.process import NONE, CpuTime, cpu_times, memory_kib, tree

SPENDING = """
import os, time
def spend(seconds):
    while time.process_time() < seconds: pass
child = os.fork()
held = bytearray(50_000_000) if child == 0 else b""
spend(0.3 if child == 0 else 0.1)
if child: print("spent", flush=True)
else: os.write(1, b"spent\\n")
time.sleep(600)
"""


@pytest.fixture
def two() -> Iterator[subprocess.Popen[str]]:
    """A process and its child, which have done what they do."""
    with subprocess.Popen([sys.executable, "-c", SPENDING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["spent\n"] * 2
        yield process
        for pid in reversed(tree(process.pid)):
            subprocess.run(["kill", "-9", str(pid)], check=True)


def test_the_time_of_children_counts(two: subprocess.Popen[str]) -> None:
    spent = cpu_times(two.pid)
    assert len(spent) == 2
    assert sum(each.both for each in spent.values()) >= 0.38  # the kernel counts in hundredths of a second
    assert spent[two.pid].both < sum(each.both for each in spent.values()) - 0.25


def test_the_memory_of_children_counts(two: subprocess.Popen[str]) -> None:
    assert memory_kib(two.pid) > 48_000


def test_time_is_what_was_spent_meanwhile() -> None:
    assert CpuTime(3.0, 2.0).since(CpuTime(1.0, 1.5)) == CpuTime(2.0, 0.5)
    assert CpuTime(3.0, 2.0).since(NONE).both == 5.0


def test_a_process_that_is_gone_has_no_tree() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert tree(process.pid) == []
