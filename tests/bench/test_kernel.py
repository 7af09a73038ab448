"""What is set in the kernel is set back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from bench.kernel import few_time_waits


@pytest.fixture
def setting(tmp_path: Path) -> Path:
    """A file that stands for the kernel's: that one is the machine's, and others run on it."""
    file = tmp_path / "tcp_max_tw_buckets"
    file.write_text("131072\n")
    return file


def test_it_is_low_for_the_time_of_a_run(setting: Path) -> None:
    with few_time_waits(setting) as said:
        assert setting.read_text() == "512"
        assert said == "tcp_max_tw_buckets 512"
    assert setting.read_text() == "131072\n"


def test_a_run_that_fails_sets_it_back(setting: Path) -> None:
    with contextlib.suppress(SystemExit), few_time_waits(setting):
        raise SystemExit
    assert setting.read_text() == "131072\n"


def test_who_did_not_set_it_does_not_set_it_back(setting: Path) -> None:
    with few_time_waits(setting), few_time_waits(setting):
        pass
    assert setting.read_text() == "131072\n"
    setting.write_text("100\n")
    with few_time_waits(setting):
        assert setting.read_text() == "100\n"
    assert setting.read_text() == "100\n"


def test_where_it_cannot_be_set_the_figures_say_so(tmp_path: Path) -> None:
    with few_time_waits(tmp_path / "nowhere" / "tcp_max_tw_buckets") as said:
        assert "stayed as it was (No such file or directory)" in said
