"""Every page of cases.yaml: what becomes of it, wherever it is cut, and what the judges say."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.wire.notice import Outcome
from tests.notice.judges import NOTICE, difference, injected

CASES: dict[str, dict[str, list[str]]] = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text("utf-8"))
MARK = "§"

PAGES: list[Any] = [
    pytest.param(page, Outcome.INJECTED if MARK in page else Outcome(outcome), id=f"{group}: {page}"[:90])
    for outcome, groups in CASES.items()
    for group, pages in groups.items()
    for page in pages
]


def test_there_are_some_hundred_cases() -> None:
    assert len(PAGES) > 500
    assert len({page.values[0] for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize(("marked", "outcome"), PAGES)
def test_a_page(marked: str, outcome: Outcome) -> None:
    page = marked.replace(MARK, "").encode()
    expected = (outcome, marked.encode().replace(MARK.encode(), NOTICE))
    assert injected(page) == expected
    assert injected(page, *range(1, len(page))) == expected, "byte by byte"
    for cut in range(1, len(page)):
        assert injected(page, cut) == expected, (page[:cut], page[cut:])
    chance = random.Random(marked)
    for _ in range(20):
        cuts = sorted(chance.choices(range(len(page) + 1), k=chance.randint(2, 6)))
        assert injected(page, *cuts) == expected, cuts


@pytest.mark.parametrize("marked", [page.values[0] for page in PAGES if MARK in str(page.values[0])])
def test_a_notice_is_the_only_difference(marked: str) -> None:
    before = marked.replace(MARK, "")
    assert difference(before, marked.replace(MARK, NOTICE.decode())) == ""
