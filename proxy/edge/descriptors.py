"""File descriptors: how many a process may have open (getrlimit(2)), of which each client and each origin takes one.

Shells and containers give 1,024 for the sake of programs that use select(2), and let those that do not have more.
"""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from proxy.edge.configuration.settings import SettingsError

if TYPE_CHECKING:
    from proxy.edge.configuration.settings import Limits


def allowed() -> int:
    """How many this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def demand_descriptors(limits: Limits) -> None:
    """See to it that this process, and those that it starts, may open as many as the system lets them have.

    Raises `SettingsError` where those are too few.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # where "unlimited" is more than the system means
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if allowed() < limits.least_descriptors:
        raise SettingsError(
            f"{allowed()} file descriptors are allowed, and {limits.least_descriptors} are the least that a "
            "server needs; raise the limit (ulimit -n, LimitNOFILE)"
        )
