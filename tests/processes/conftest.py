"""A folder of rules to play with, and servers that run as programs of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.edge.conftest import originating, scripting
from tests.processes.program import Program, Starting, family, lives, until
from tests.threats.conftest import figure

__all__ = ["figure", "originating", "scripting"]

RULES = "".join(f"  - path: /old-{number}\n    to: /new-{number}\n" for number in range(10))
SITE = "site: uk\nhosts: [po.co]\nmoves_to: https://www.mi.com/{home}\nrules:\n{rules}"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one site, which moves to www.mi.com/uk."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    write_site(folder)
    return folder


def write_site(folder: Path, home: str = "uk", rules: str = RULES) -> None:
    """The site's file anew, perhaps with another home."""
    (folder / "uk.yaml").write_text(SITE.format(home=home, rules=rules), "utf-8")


@pytest.fixture
async def starting(tmp_path: Path) -> AsyncIterator[Starting]:
    """Starts servers; they are killed with the test, and nothing of them stays."""
    programs: list[Program] = []

    async def start(rules: Path, *arguments: str, ready: bool = True, **how: Any) -> Program:
        log = tmp_path / f"log-{len(programs)}"
        programs.append(Program.start(rules, log, *arguments, **how))
        if ready:
            await programs[-1].ready()
        return programs[-1]

    yield start
    for program in programs:
        everybody: set[int] = set()
        with suppress(OSError):
            everybody = family(program.process.pid)
        program.process.kill()
        program.process.wait()
        await until(lambda everybody=everybody: not any(map(lives, everybody)))  # type: ignore[misc]
