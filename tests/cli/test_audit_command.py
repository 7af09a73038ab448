"""`sunset audit`, run as its users run it. What a report says is tested below the audit's own floor."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

LIST = "url,clicks\nhttps://po.co/uk/poco-f1/,90\nhttps://po.co/uk/x,9\nhttps://unknown.example/,1\n"


@pytest.fixture
def pages(here: Path) -> str:
    (here / "pages.csv").write_text(LIST, "utf-8")
    return "pages.csv"


def test_a_summary_goes_to_the_terminal(sunset: Run, pages: str) -> None:
    ran = sunset("audit", pages)
    assert (ran.returncode, ran.stderr) == (0, "")
    for words in ("66.66%", "99.00%", "3 addresses", "poco-uk", "each site's own cutover", "misdirected"):
        assert words in ran.stdout


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
def test_json_is_for_programs(sunset: Run, pages: str, arguments: list[str]) -> None:
    ran = sunset("audit", pages, *arguments)
    assert ran.returncode == 0
    assert [row["status"] for row in json.loads(ran.stdout)["rows"]] == [301, 301, 421]


def test_a_report_goes_into_a_file(sunset: Run, here: Path, pages: str) -> None:
    ran = sunset("audit", pages, "--format", "csv", "-o", "report.csv")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    text = (here / "report.csv").read_text("utf-8-sig")
    assert [row["kind"] for row in csv.DictReader(io.StringIO(text))] == ["mapping", "keep-path", ""]


@pytest.mark.parametrize(
    ("name", "arguments", "beginning"),
    [
        ("report.csv", [], "url,clicks,"),
        ("report.JSON", [], "{"),
        ("report.md", [], "# Coverage"),
        ("report.txt", [], "66.66% of"),
        ("report.md", ["--format", "terminal"], "66.66% of"),
        ("report.txt", ["--json"], "{"),
    ],
)
def test_the_name_of_the_file_says_how_it_is_written_unless_something_else_does(
    sunset: Run, here: Path, pages: str, name: str, arguments: list[str], beginning: str
) -> None:
    assert sunset("audit", pages, "-o", name, *arguments).returncode == 0
    assert (here / name).read_text("utf-8").startswith(beginning)


def test_a_table_without_a_column_of_addresses_is_told_and_fails(sunset: Run, here: Path) -> None:
    (here / "sales.csv").write_text("product,price\nlamp,10\nchair,20\n", "utf-8")
    ran = sunset("audit", "sales.csv")
    assert ran.returncode == 1
    assert 'sales.csv:1: no column of addresses in "product,price": name one url' in ran.stderr


def test_markdown_is_for_a_ticket(sunset: Run, pages: str) -> None:
    assert "| `poco-uk` |" in sunset("audit", pages, "--format", "markdown").stdout


def test_standard_input_is_a_file_too(sunset: Run) -> None:
    assert "1 address is covered" in sunset("audit", "-", stdin="https://po.co/uk/\n").stdout


def test_an_instant_before_the_cutover_covers_nothing_that_is_still_forwarded(sunset: Run, pages: str) -> None:
    ran = sunset("audit", pages, "--at", "2024-12-30", "--json")
    assert [row["outcome"] for row in json.loads(ran.stdout)["rows"]] == ["forward", "forward", "misdirected"]


@pytest.mark.parametrize(("percent", "code"), [("66", 0), ("66.7", 1), ("100", 1)])
def test_too_little_coverage_fails(sunset: Run, pages: str, percent: str, code: int) -> None:
    ran = sunset("audit", pages, "--fail-under", percent)
    assert ran.returncode == code
    assert ("below" in ran.stderr) is bool(code)


def test_what_could_not_be_read_is_told_and_fails(sunset: Run, here: Path) -> None:
    (here / "empty.txt").write_text("", "utf-8")
    ran = sunset("audit", "empty.txt")
    assert ran.returncode == 1
    assert "empty.txt" in ran.stderr


WRONG = {
    "a file that is not there": (["nowhere.csv"], 1, "there is no such file"),
    "a file that cannot be written": (["pages.csv", "-o", "no/such/folder.csv"], 1, "no/such/folder.csv"),
    "a format nobody knows": (["pages.csv", "--format", "pdf"], 2, "markdown"),
    "two formats at once": (["pages.csv", "--format", "csv", "--json"], 2, "--format"),
    "more than everything": (["pages.csv", "--fail-under", "101"], 2, "100"),
    "no file": ([], 2, "FILE"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_without_traceback(
    sunset: Run, pages: str, arguments: list[str], code: int, words: str
) -> None:
    assert pages
    ran = sunset("audit", *arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_terminal_sees_how_far_it_is(on_terminal: Run, here: Path) -> None:
    (here / "many.txt").write_text("".join(f"https://po.co/uk/{n}\n" for n in range(20_000)), "utf-8")
    ran = on_terminal("audit", "many.txt")
    assert ran.returncode == 0
    assert "asking" in ran.stdout
    assert "100.00% of 20,000 addresses" in ran.stdout
