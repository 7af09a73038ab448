"""What is said about rule files that are wrong: each file of `broken/` is a test.

`files` are the files of a rule folder (rulebook.yaml lists `new.example` where there is none; `null`: no folder),
`expect` the exact lines. To add a case, add a file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.errors import RulebookErrors, Severity
from proxy.rulebook.codes import CODES, manual
from proxy.rulebook.load import load

CASES = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def read(case: Path) -> dict[str, Any]:
    """The case as plain data."""
    data = yaml.safe_load(case.read_text("utf-8"))
    assert data.keys() == {"files", "expect"}, case
    return dict(data)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_mistake_is_told_with_its_place(
    case: Path, rule_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read(case)
    monkeypatch.chdir(tmp_path)
    folder = Path("rules") if data["files"] is None else rule_folder(data["files"])
    try:
        problems, usable = load(folder).warnings, True
    except RulebookErrors as errors:
        problems, usable = errors.problems, False
    assert usable == all(problem.severity is Severity.WARNING for problem in problems)
    assert [str(problem) for problem in problems] == data["expect"]


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_case(code: str) -> None:
    lines = [line for case in CASES for line in read(case)["expect"]]
    assert any(line.split(": ", 1)[1].split(" ", 1)[0] == code for line in lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_case_is_named_after_what_it_shows(case: Path) -> None:
    codes = {line.split(": ", 1)[1].split(" ", 1)[0] for line in read(case)["expect"]}
    assert case.stem == "everything-at-once" or any(case.stem.startswith(code) for code in codes)


def test_a_caret_stands_under_the_column(rule_folder: Callable[..., Path]) -> None:
    folder = rule_folder({"s.yaml": "site: s\nhosts:\n  - old.example/uk\n"})
    with pytest.raises(RulebookErrors) as caught:
        load(folder)
    assert caught.value.problems[0].with_caret().splitlines()[1:] == [
        "      - old.example/uk",
        "                   ^",
    ]


def test_the_manual_of_errors_is_the_registry() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "errors.md"
    assert page.read_text("utf-8") == manual()
    for code in CODES:
        assert f"\n### {code}\n" in manual()
