"""A running Sunset for every threat to be tried on, and figures that are shown when the tests have ended.

One file a threat: its docstring says what somebody might do, its tests do it to a process of its own, and what was
measured goes to `figure`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.threats.origins import Answering, Origin
from tests.threats.running import Running, Start

Figure = Callable[[str, str, object], None]
Originating = Callable[[Answering], Origin]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Notes what was measured: `figure("T32", "series, before and after", "214, 214")`."""

    def noted(threat: str, what: str, value: object) -> None:
        record_property("figure", f"{threat}  {what}: {value}")

    return noted


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `sunset serve` with the shipped rules, or others, on free ports; it is killed with the test."""
    with ExitStack() as stack:

        def started(
            *arguments: str,
            rules: Path | None = None,
            files: int | None = None,
            launch: Sequence[str] = (),
            **variables: str,
        ) -> Running:
            running = Running(tmp_path, arguments, rules=rules, files=files, launch=launch, variables=variables)
            return stack.enter_context(running)

        yield started


@pytest.fixture
def origin() -> Iterator[Originating]:
    """Starts origins; they stop with the test."""
    with ExitStack() as stack:
        yield lambda answering: stack.enter_context(Origin(answering))
