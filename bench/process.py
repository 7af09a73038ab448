"""What processes cost, as /proc tells it (proc(5)): CPU time and memory, of one and of all that descend from it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        below = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    except FileNotFoundError:  # it has ended meanwhile
        return []
    return [pid, *(found for child in below for found in tree(child))]


def _children(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except FileNotFoundError:  # a thread that has ended meanwhile
        return []


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds of one process, with all its threads."""

    user: float
    system: float
    """In the kernel, on its behalf."""

    @classmethod
    def of(cls, pid: int) -> CpuTime:
        """Since its start."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls(int(fields[11]) / TICKS_A_SECOND, int(fields[12]) / TICKS_A_SECOND)

    def since(self, before: CpuTime) -> CpuTime:
        """What was spent meanwhile."""
        return CpuTime(self.user - before.user, self.system - before.system)

    @property
    def both(self) -> float:
        """All of it."""
        return self.user + self.system


NONE: Final = CpuTime(0.0, 0.0)


def cpu_times(pid: int) -> dict[int, CpuTime]:
    """Those of a tree, by process."""
    return {member: CpuTime.of(member) for member in tree(pid)}


def memory_kib(pid: int) -> int:
    """Proportional set size of a tree: a page that several processes share is counted once."""
    rollups = (Path(f"/proc/{member}/smaps_rollup").read_text() for member in tree(pid))
    return sum(int(found[1]) for rollup in rollups if (found := re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)))
