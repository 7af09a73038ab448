"""Where a benchmark ran: what its reader wants to know of the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Machine(BaseModel):
    """A machine, and how busy it was with other things when the run began."""

    model_config = ConfigDict(frozen=True)

    cpu: str
    cores: int
    system: str
    kernel: str
    load_average: float

    @classmethod
    def this(cls) -> Machine:
        """The one that this runs on."""
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return cls(
            cpu=named[1] if named else platform.machine(),
            cores=os.cpu_count() or 0,
            system=platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
            kernel=platform.release(),
            load_average=os.getloadavg()[0],
        )

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, {self.system}, Linux {self.kernel}"


def versions() -> dict[str, str]:
    """Of what Sunset runs on, and of what puts the load on."""
    said = subprocess.run(["wrk", "-v"], check=False, capture_output=True, text=True).stdout.split()
    return {"uvloop": version("uvloop"), "Python": platform.python_version(), "wrk": said[1] if len(said) > 1 else ""}


def commit() -> str:
    """Which Sunset this is, where there is a checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip()
