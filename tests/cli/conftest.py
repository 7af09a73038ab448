"""The program as its users have it: started anew for each test, in a folder with a copy of the shipped rules."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

TOP = Path(__file__).parent.parent.parent
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"}},
    "COLUMNS": "100",
    "TERM": "xterm-256color",
    "PYTHONPATH": str(TOP),
}
PATIENCE = 60.0

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with `rules` in it."""
    shutil.copytree(TOP / "rules", tmp_path / "rules")
    return tmp_path


@pytest.fixture
def sunset(here: Path) -> Run:
    """Runs `sunset` with arguments, perhaps with text on standard input and more in its environment."""

    def run(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "proxy", *arguments],
            check=False,
            cwd=here,
            env=ENVIRONMENT | more,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def on_terminal(here: Path) -> Run:
    """Runs `sunset` on a terminal of its own: standard output and standard error are what one would see there."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        terminal, end = pty.openpty()
        command = [sys.executable, "-m", "proxy", *arguments]
        with subprocess.Popen(
            command, cwd=here, env=ENVIRONMENT | more, stdin=subprocess.DEVNULL, stdout=end, stderr=end
        ) as process:
            os.close(end)
            seen = b"".join(iter(lambda: _read(terminal), b""))
            os.close(terminal)
            return subprocess.CompletedProcess(command, process.wait(PATIENCE), seen.decode(), "")

    return run


def _read(terminal: int) -> bytes:
    """What a terminal shows next; nothing once nobody writes to it any more, which Linux calls an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


@pytest.fixture
def start(here: Path) -> Iterator[Start]:
    """Starts `sunset` and leaves it running, with pipes; it is killed when the test ends."""
    with ExitStack() as stack:

        def started(
            *arguments: str, variables: Mapping[str, str] = MappingProxyType({}), **more: Any
        ) -> subprocess.Popen[Any]:
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            process: subprocess.Popen[Any] = subprocess.Popen(
                [sys.executable, "-m", "proxy", *arguments],
                cwd=here,
                env={**ENVIRONMENT, **variables},
                **({"text": True} | pipes | more),
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield started
