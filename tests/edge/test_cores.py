"""How many workers `auto` means."""

import os
from pathlib import Path

import pytest

from proxy.edge.configuration.cores import available_cores

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("written", "cores"),
    [
        ("max 100000", ALL),
        ("50000 100000", 1),
        ("100000 100000", 1),
        ("110000 100000", min(2, ALL)),
        ("6400000 100000", ALL),
        ("nonsense", ALL),
        (None, ALL),
    ],
)
@pytest.mark.parametrize("group", ["/", "/system.slice/sunset.service"])
def test_a_core_is_used_for_each_that_there_is_time_for(
    tmp_path: Path, group: str, written: str | None, cores: int
) -> None:
    (tmp_path / "own").write_text(f"1:name=systemd:/elsewhere\n0::{group}\n", "ascii")
    folder = tmp_path / group.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    if written is not None:
        (folder / "cpu.max").write_text(f"{written}\n", "ascii")
    assert available_cores(own=tmp_path / "own", cgroups=tmp_path) == cores


def test_without_control_groups_every_core_that_it_may_run_on_is_used(tmp_path: Path) -> None:
    assert available_cores(own=tmp_path / "none", cgroups=tmp_path) == ALL
