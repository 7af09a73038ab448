"""The page on security keeps its word: every threat has its promise, and every test that it names is there."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PAGE = (TOP / "docs" / "security.md").read_text("utf-8")
ROWS = re.findall(r"^\| T(\d+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
"""Number, promise, and where it is tried."""


def test_every_threat_has_one_row_in_its_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 49))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"T{row[0]}")
def test_every_test_that_is_named_is_there(row: tuple[str, str, str]) -> None:
    number, _, tried = row
    paths = re.findall(r"`(tests/[^`]+)`", tried)
    assert paths
    for path in paths:
        assert "def test_" in (TOP / path).read_text("utf-8"), path
    own = {path.relative_to(TOP).as_posix() for path in (TOP / "tests" / "threats").glob(f"test_t{number}_*.py")}
    assert not own or own & set(paths), "what tries it on a running server"


def test_every_threat_that_a_running_server_is_tried_for_is_on_the_page() -> None:
    tried = {int(path.name.split("_")[1][1:]) for path in (TOP / "tests" / "threats").glob("test_t*.py")}
    assert tried >= {*range(13, 21), *range(27, 45)}


def test_what_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (TOP / "docs" / target).exists(), target
