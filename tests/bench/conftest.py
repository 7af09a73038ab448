"""Programs that a benchmark needs, and one to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent.parent
Bench = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Starts one with these arguments, which waits for no other on the machine."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [
        tool for tool in ("wrk", "nginx", "haproxy", "caddy", "setpriv") if shutil.which(tool, path=path) is None
    ]
    if missing:
        assert os.environ.get("CI") != "true", f"not installed: {missing}"
        pytest.skip(f"not installed: {', '.join(missing)}")
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("server and load need a core each")

    def begin(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *arguments],
            cwd=TOP,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin
