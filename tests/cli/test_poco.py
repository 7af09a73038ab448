"""The case that Sunset is built on, as `sunset explain` tells it."""

import json

import pytest

from tests.cases.poco import Case, cases
from tests.cli.conftest import Run


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_shipped_rules_answer_through_explain(case: Case, sunset: Run) -> None:
    done = sunset("explain", case.url, "--at", case.at, "--method", case.method, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if answer["outcome"] == "forward":
        said = "forward+notice" if answer["notice"] else "forward"
    else:
        said = " ".join(str(part) for part in (answer["status"], answer["location"]) if part is not None)
    assert said == case.expect
