"""`sunset check`, run as its users run it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

TWO_MISTAKES = """\
site: a
hosts: [a.example]
moves_to: https://elsewhere.example
timezome: UTC
"""
CHAIN = {
    "rulebook.yaml": "targets: [b.example, c.example]\n",
    "a.yaml": "site: a\nhosts: [a.example]\nmoves_to: https://b.example\n",
    "b.yaml": "site: b\nhosts: [b.example]\nmoves_to: https://c.example\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def test_the_shipped_rules_are_well_even_strictly(sunset: Run) -> None:
    ran = sunset("check", "rules", "--strict")
    assert (ran.returncode, ran.stderr) == (0, "")
    for words in ("poco-uk", "po.co/uk", "pass-through", "5 sites, ", " hold; generation "):
        assert words in ran.stdout


def test_rules_are_the_default(sunset: Run) -> None:
    assert sunset("check").stdout == sunset("check", "rules").stdout


def test_every_mistake_is_told_with_its_place_its_line_and_a_caret(sunset: Run, here: Path) -> None:
    write(here / "bad", {"rulebook.yaml": "targets: [b.example]\n", "a.yaml": TWO_MISTAKES, "b.yaml": "site: b\n"})
    ran = sunset("check", "bad")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Traceback" not in ran.stderr
    lines = ran.stderr.splitlines()
    assert lines[-1] == "3 errors in 2 files"
    [at] = [number for number, line in enumerate(lines) if line.startswith("bad/a.yaml:4:1: ")]
    assert 'did you mean "timezone"?' in lines[at]
    assert lines[at + 1 : at + 3] == ["    timezome: UTC", "    ^"]


def test_a_warning_is_told_and_only_strictly_an_error(sunset: Run, here: Path) -> None:
    write(here / "chain", CHAIN)
    ran = sunset("check", "chain")
    assert ran.returncode == 0
    assert "1 warning in 1 file" in ran.stderr
    assert "2 sites" in ran.stdout
    assert sunset("check", "chain", "--strict").returncode == 1


def test_json_of_a_rulebook_that_is_well(sunset: Run) -> None:
    ran = sunset("check", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    report = json.loads(ran.stdout)
    assert (report["ok"], report["problems"]) == (True, [])
    assert report["tests"] > 50
    uk = next(site for site in report["sites"] if site["site"] == "poco-uk")
    assert uk == {
        "site": "poco-uk",
        "hosts": ["po.co", "www.po.co"],
        "base": "/uk",
        "phase": "redirect",
        "next": None,
        "rules": 7,
        "mapped": 17,
    }


def test_json_of_a_rulebook_that_is_not(sunset: Run, here: Path) -> None:
    write(here / "bad", {"rulebook.yaml": "targets: [b.example]\n", "a.yaml": TWO_MISTAKES})
    ran = sunset("check", "bad", "--json")
    assert (ran.returncode, ran.stderr) == (1, "")
    report = json.loads(ran.stdout)
    assert (report["ok"], report["sites"], report["generation"]) == (False, [], None)
    assert {"file", "line", "column", "severity", "code", "message"} == set(report["problems"][0])
    assert ("bad/a.yaml", 4, 1, "error") in [
        (problem["file"], problem["line"], problem["column"], problem["severity"]) for problem in report["problems"]
    ]


def test_a_milestone_to_come_is_shown_by_the_sites_own_clock(sunset: Run, here: Path) -> None:
    site = "site: a\nhosts: [a.example]\ntimezone: Asia/Jakarta\norigin: https://old.example\nmoves_to: https://b.example\n"
    site += "schedule: {notice: 2020-01-01, cutover: 2999-01-01}\n"
    write(here / "far", {"rulebook.yaml": "targets: [b.example]\n", "a.yaml": site})
    assert "cutover 2999-01-01" in sunset("check", "far").stdout
    [told] = json.loads(sunset("check", "far", "--json").stdout)["sites"]
    assert (told["phase"], told["next"]) == ("notice", {"milestone": "cutover", "at": "2998-12-31T17:00:00Z"})


@pytest.mark.parametrize("folder", ["nowhere", "rules/rulebook.yaml"])
def test_what_is_no_folder_of_rules_is_told(sunset: Run, folder: str) -> None:
    ran = sunset("check", folder)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert folder in ran.stderr
    assert "Traceback" not in ran.stderr
