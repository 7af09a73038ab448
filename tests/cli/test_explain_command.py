"""`sunset explain`, run as its users run it."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "poco.yaml").read_text("utf-8"))
KEYS = ["url", "outcome", "status", "location", "notice", "site", "phase", "rule", "headers"]


def said(answer: dict[str, Any]) -> str:
    """An answer in the short words of `tests:` and of the cases."""
    if answer["outcome"] == "forward":
        return "forward+notice" if answer["notice"] else "forward"
    return " ".join(str(part) for part in (answer["status"], answer["location"]) if part is not None)


def explained(ran: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert (ran.returncode, ran.stderr) == (0, "")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_every_case_of_the_shipped_rules_holds(sunset: Run) -> None:
    asked: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for case in CASES:
        asked.setdefault((str(case["at"]), case.get("method", "GET")), []).append(case)
    for (at, method), cases in asked.items():
        urls = [case["url"] for case in cases]
        answers = explained(sunset("explain", *urls, "--at", at, "--method", method, "--json"))
        assert [(answer["url"], said(answer)) for answer in answers] == [
            (case["url"], case["expect"]) for case in cases
        ]


ANSWERS = {
    "a rule": (
        ("https://po.co/uk/cart/x?y=1", "--at", "2024-11-01"),
        {
            "url": "https://po.co/uk/cart/x?y=1",
            "outcome": "redirect",
            "status": 302,
            "location": "https://www.mi.com/uk/cart?y=1",
            "notice": False,
            "site": "poco-uk",
            "phase": "notice",
            "rule": "rules/poco-uk.yaml:LINE",
            "headers": {"Location": "https://www.mi.com/uk/cart?y=1", "Cache-Control": "public, max-age=3600"},
        },
    ),
    "a mapping": (
        ("po.co/uk/poco-f1", "--at", "2025-01-01"),
        {
            "url": "po.co/uk/poco-f1",
            "outcome": "redirect",
            "status": 301,
            "location": "https://www.mi.com/uk/product-list/poco/",
            "notice": False,
            "site": "poco-uk",
            "phase": "redirect",
            "rule": "rules/mappings/uk.csv:LINE",
            "headers": {
                "Location": "https://www.mi.com/uk/product-list/poco/",
                "Cache-Control": "public, max-age=3600",
            },
        },
    ),
    "a kept path": (
        ("https://po.co/uk/x", "--at", "2025-01-01"),
        {
            "url": "https://po.co/uk/x",
            "outcome": "redirect",
            "status": 301,
            "location": "https://www.mi.com/uk/x",
            "notice": False,
            "site": "poco-uk",
            "phase": "redirect",
            "rule": None,
            "headers": {"Location": "https://www.mi.com/uk/x", "Cache-Control": "public, max-age=3600"},
        },
    ),
    "a page with the notice": (
        ("https://po.co/uk/x", "--at", "2024-12-01"),
        {
            "url": "https://po.co/uk/x",
            "outcome": "forward",
            "status": None,
            "location": None,
            "notice": True,
            "site": "poco-uk",
            "phase": "notice",
            "rule": None,
            "headers": {
                "Sunset": "Tue, 31 Dec 2024 00:00:00 GMT",
                "Deprecation": "@1728428400",
                "Link": '</uk/.sunset/notice>; rel="sunset", <https://www.mi.com/uk/x>; rel="successor-version"',
            },
        },
    ),
    "a site passed through": (
        ("https://poco.in/x", "--at", "2025-01-01"),
        {
            "url": "https://poco.in/x",
            "outcome": "forward",
            "status": None,
            "location": None,
            "notice": False,
            "site": "poco-in",
            "phase": "pass-through",
            "rule": None,
            "headers": {},
        },
    ),
    "the end of the API": (
        ("https://po.co/uk/app/api/v1/orders", "--at", "2025-01-01", "--method", "post"),
        {
            "url": "https://po.co/uk/app/api/v1/orders",
            "outcome": "gone",
            "status": 410,
            "location": None,
            "notice": False,
            "site": "poco-uk",
            "phase": "redirect",
            "rule": "rules/poco-uk.yaml:LINE",
            "headers": {"Cache-Control": "public, max-age=3600"},
        },
    ),
    "a host of no site": (
        ("https://unknown.example/",),
        {
            "url": "https://unknown.example/",
            "outcome": "misdirected",
            "status": 421,
            "location": None,
            "notice": False,
            "site": None,
            "phase": None,
            "rule": None,
            "headers": {"Cache-Control": "no-store"},
        },
    ),
    "no address": (
        ("ftp://po.co/x",),
        {
            "url": "ftp://po.co/x",
            "outcome": "bad-request",
            "status": 400,
            "location": None,
            "notice": False,
            "site": None,
            "phase": None,
            "rule": None,
            "headers": {"Connection": "close"},
        },
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_json_tells_all_there_is_to_know(sunset: Run, arguments: list[str], expected: dict[str, Any]) -> None:
    [answer] = explained(sunset("explain", "--json", *arguments))
    assert list(answer) == KEYS
    if answer["rule"] is not None:
        answer["rule"] = re.sub(r":\d+$", ":LINE", answer["rule"])
    assert answer == expected


def test_the_named_line_is_the_one_that_decided(sunset: Run, here: Path) -> None:
    for url in ("https://po.co/uk/poco-f1", "https://po.co/uk/cart", "https://po.co/uk/p-1.html"):
        [answer] = explained(sunset("explain", "--json", url, "--at", "2025-01-01"))
        file, _, line = answer["rule"].rpartition(":")
        written = (here / file).read_text("utf-8").splitlines()[int(line) - 1]
        assert re.search(r"/uk/poco-f1|/uk/cart|\^/uk/p-", written), written


def test_a_time_without_offset_is_local_to_the_asked_site(sunset: Run) -> None:
    urls = ("https://po.co.id/id/", "https://po.co/uk/")
    local = explained(sunset("explain", "--json", *urls, "--at", "2024-12-30T23:59:59"))
    assert [answer["outcome"] for answer in local] == ["forward", "forward"]
    same_instant = explained(sunset("explain", "--json", *urls, "--at", "2024-12-30T17:30:00Z"))
    assert [answer["outcome"] for answer in same_instant] == ["redirect", "forward"]
    with_offset = explained(sunset("explain", "--json", *urls, "--at", "2024-12-31T00:30:00+07:00"))
    assert with_offset == same_instant


def test_people_read_the_answer_the_target_the_rule_and_why(sunset: Run) -> None:
    ran = sunset("explain", "https://po.co/uk/cart", "po.co/uk/x", "--at", "2024-11-01")
    assert ran.returncode == 0
    first, second = ran.stdout.split("\n\n")
    assert first.startswith("https://po.co/uk/cart\n")
    for words in ("302 redirect", "https://www.mi.com/uk/cart", "rules/poco-uk.yaml:", "/uk/cart/*", "shopping closed"):
        assert words in first
    for words in ("forward to the old site", "with the notice", "poco-uk, in phase notice", "Sunset: Tue, 31 Dec 2024"):
        assert words in second


def test_a_target_that_redirects_again_is_followed(sunset: Run, here: Path) -> None:
    (here / "two").mkdir()
    (here / "two" / "rulebook.yaml").write_text("targets: [b.example, c.example]\n", "utf-8")
    (here / "two" / "a.yaml").write_text("site: a\nhosts: [a.example]\nmoves_to: https://b.example/from-a\n", "utf-8")
    (here / "two" / "b.yaml").write_text("site: b\nhosts: [b.example]\nmoves_to: https://c.example\n", "utf-8")
    ran = sunset("explain", "https://a.example/x", "--rules", "two")
    assert ran.returncode == 0
    assert "https://b.example/from-a/x" in ran.stdout
    assert "https://c.example/from-a/x" in ran.stdout


def test_an_address_cannot_command_the_terminal(sunset: Run) -> None:
    assert "\x1b" not in sunset("explain", "https://po.co/\x1b[31m").stdout


WRONG_USE = {
    "no address": ([], "Missing argument"),
    "no date": (["po.co", "--at", "tomorrow"], "2024-12-31T10:00"),
    "no day": (["po.co", "--at", "2024-02-30"], "2024-02-30"),
    "no method": (["po.co", "--method", "GET IT"], "is not a method"),
    "standard input and more": (["-", "po.co"], "stands alone"),
    "an option with a slip": (["po.co", "--rule", "x"], "--rules"),
}


@pytest.mark.parametrize(("arguments", "advice"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_told_on_standard_error(sunset: Run, arguments: list[str], advice: str) -> None:
    ran = sunset("explain", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert advice in ran.stderr


def test_a_broken_rulebook_is_not_asked(sunset: Run, here: Path) -> None:
    (here / "rules" / "poco-uk.yaml").write_text("site: x\nhosts: [po.co\n", "utf-8")
    ran = sunset("explain", "https://po.co/uk/")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "rules/poco-uk.yaml:" in ran.stderr
    assert "Traceback" not in ran.stderr


# standard input


def test_standard_input_gives_a_line_for_a_line_in_order(sunset: Run) -> None:
    lines = [
        "https://po.co/uk/x",
        "",
        "not an address",
        "https://po.co.id/\r",
        "po.co/fr/caf\u00e9",
        "https://po.co/" + "x" * 9000,
    ]
    answers = explained(sunset("explain", "-", "--at", "2025-01-01", stdin="\n".join(lines)))
    assert [answer["url"] for answer in answers] == [line.rstrip("\r") for line in lines]
    assert [said(answer) for answer in answers] == [
        "301 https://www.mi.com/uk/x",
        "400",
        "400",
        "301 https://www.mi.co.id/id/",
        "301 https://www.mi.com/fr/caf%C3%A9",
        "414",
    ]


def test_a_line_is_answered_before_the_next_one_comes(start: Start) -> None:
    process = start("explain", "-", "--at", "2025-01-01")
    assert process.stdin is not None
    assert process.stdout is not None
    for path in ("a", "b", "c"):
        process.stdin.write(f"https://po.co/uk/{path}\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["location"] == f"https://www.mi.com/uk/{path}"
    process.stdin.close()
    assert process.wait() == 0


def test_bytes_that_are_no_text_are_a_line_too(start: Start) -> None:
    process = start("explain", "-", "--at", "2025-01-01", text=False)
    out, err = process.communicate(b"https://po.co/uk/\xff\xfe\nhttps://po.co/uk/b\n")
    assert [json.loads(line)["status"] for line in out.splitlines()] == [301, 301]
    assert err == b""


def test_a_reader_that_leaves_is_no_error(here: Path, start: Start) -> None:
    many = here / "many.txt"
    many.write_text("https://po.co/uk/x\n" * 50_000, "utf-8")
    with many.open() as file:
        process = start("explain", "-", stdin=file)
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"url"')
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 128 + signal.SIGPIPE


def test_an_interrupt_ends_it_quietly(start: Start) -> None:
    process = start("explain", "-")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("https://po.co/uk/x\n")
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 128 + signal.SIGINT
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_colour_is_for_terminals_and_never_with_no_color(sunset: Run, on_terminal: Run) -> None:
    arguments = ("explain", "https://po.co/uk/", "--at", "2025-01-01")
    assert "\x1b[" in on_terminal(*arguments).stdout
    assert "\x1b[" not in on_terminal(*arguments, NO_COLOR="1").stdout
    assert "\x1b[" not in sunset(*arguments).stdout
