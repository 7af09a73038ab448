"""How many cores this program may use: a machine has many, a container is often given a few."""

from __future__ import annotations

import os
import sys
from math import ceil
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def available_cores(*, own: Path = OWN, cgroups: Path = CGROUPS) -> int:
    """Those that it may run on, and no more than it is given time for."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    quota = _quota(own, cgroups)
    return cores if quota is None else max(1, min(cores, ceil(quota)))


def _quota(own: Path, cgroups: Path) -> float | None:
    """How many cores' time a control group is given (cgroup v2, `cpu.max`); None where it may take all."""
    try:
        group = next(line[3:] for line in own.read_text("ascii").splitlines() if line.startswith("0::"))
        quota, period = (cgroups / group.lstrip("/") / "cpu.max").read_text("ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, StopIteration, ValueError):
        return None
