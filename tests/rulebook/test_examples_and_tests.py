"""Examples and tests of rule files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.core.decision import BadRequest, Misdirected
from proxy.rulebook.expectation import describe, parse_expectation
from proxy.rulebook.load import load_proved
from proxy.rulebook.refusal import Refusal

SITE = (
    "site: s\nhosts: [old.example, '*.old.example']\nlanguage: en\norigin: https://legacy.example\n"
    "moves_to: https://new.example\ntimezone: Asia/Jakarta\n"
    "schedule: {notice: 2030-01-01, shop: 2030-01-10, cutover: 2030-02-01, end: 2031-01-01}\nsoak: 30d\n"
)

Refused = Callable[..., list[str]]


@pytest.mark.parametrize(
    "case",
    [
        "{url: https://old.example/, at: 2029-12-31, expect: forward}",
        "{url: https://old.example/, at: notice, expect: forward}",
        "{url: https://old.example/, at: '2029-12-31T16:59:59Z', expect: forward}",
        "{url: https://old.example/a, at: cutover, expect: 302 https://new.example/a}",
        "{url: https://old.example/a, at: 2030-02-01, expect: 302}",
        "{url: https://old.example/a, at: '2030-01-31T16:59:59.999999Z', expect: forward}",
        "{url: https://old.example/a, at: '2030-03-03', expect: 301  https://new.example/a}",
        "{url: https://old.example/a, at: '2030-03-03', expect: '308', method: POST}",
        "{url: https://old.example/a, at: end, expect: 410}",
        "{url: 'http://shop.old.example:8080/é ü', at: 2030-06-01, expect: '301 https://new.example/é ü'}",
        "{url: old.example, at: 2030-06-01, expect: 301 https://new.example/}",
        "{url: https://elsewhere.example/, at: 2030-06-01, expect: 421}",
        "{url: https://old.example/.sunset/x, at: 2030-06-01, expect: 404}",
        "{url: https://old.example/.well-known/acme-challenge/x, at: 2030-06-01, expect: local}",
    ],
)
def test_a_test_that_holds_is_silent(refused: Refused, case: str) -> None:
    assert refused(f"{SITE}tests:\n  - {case}\n") == []


def test_a_local_time_is_that_of_the_asked_site(refused: Refused) -> None:
    other = (
        "site: t\nhosts: [t.example]\norigin: https://legacy.example\ntimezone: America/Havana\n"
        "schedule: {cutover: 2030-02-01}\nmoves_to: https://new.example\n"
        "tests:\n  - {url: https://old.example/, at: '2030-02-01', expect: 302 https://new.example/}\n"
        "  - {url: https://old.example/, at: '2030-01-31T23:59:59', expect: forward}\n"
        "  - {url: https://t.example/, at: '2030-01-31T23:59:59', expect: forward}\n"
        "  - {url: https://t.example/, at: '2030-02-01', expect: 301 https://new.example/}\n"
    )
    assert refused({"s.yaml": SITE, "t.yaml": other}) == []


@pytest.mark.parametrize(
    "rule",
    [
        "{path: /a, to: /b, example: /a -> https://new.example/b}",
        "{path: /a, to: /b, example: /a/?x=1 -> 302 https://new.example/b?x=1}",
        "{path: /a, to: /b, example: 'https://x.old.example/a -> https://new.example/b'}",
        "{path: /a, to: /b, from: shop, until: cutover, example: /a -> https://new.example/b}",
        "{path: /a, to: /b, until: 2030-04-01, from: always, example: /a -> 302}",
        "{path: /a, to: /b, from: 2030-05-01, example: /a -> 301}",
        "{path: /a, gone: true, example: /a -> 410}",
        "{path: /a, not_found: true, example: /a -> 404}",
        "{path: /a, forward: true, example: /a -> forward}",
        "{path: /a, to: /b, methods: [POST], example: /a -> 307 https://new.example/b}",
        "{path: /é, to: /ü, example: /é -> https://new.example/ü}",
    ],
)
def test_an_example_is_asked_while_its_rule_holds(refused: Refused, rule: str) -> None:
    assert refused(f"{SITE}rules:\n  - {rule}\n") == []


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{path: /a, to: /b, example: /a -> https://new.example/c}", "s.yaml:10:33: example-failed"),
        ("{path: /a, to: /b, from: 2031-02-01, example: /a -> 301}", "s.yaml:10:51: example-failed"),
        ("{path: /a, to: /b, example: /c -> https://new.example/c}", "s.yaml:10:33: example-elsewhere"),
    ],
)
def test_an_example_that_does_not_hold_is_told(refused: Refused, rule: str, problem: str) -> None:
    assert refused(f"{SITE}rules:\n  - {rule}\n") == [problem]


def test_examples_and_tests_are_counted(rule_folder: Callable[..., Path]) -> None:
    text = SITE + (
        "rules:\n  - {path: /a, to: /b, example: /a -> 302}\n  - {path: /b, gone: true}\n"
        "tests:\n  - {url: old.example, at: notice, expect: forward}\n  - {url: old.example, at: end, expect: 410}\n"
    )
    loaded = load_proved(rule_folder({"s.yaml": text}))
    assert (loaded.examples, loaded.tests) == (1, 2)


def test_a_wildcard_site_has_an_example_host(refused: Refused) -> None:
    rule = "{path: /a, not_found: true, example: /a -> 404}"
    assert refused(f"site: s\nhosts: ['*.old.example']\nrules: [{rule}]\n") == []


@pytest.mark.parametrize(
    "text", ["", "gone", "410 https://new.example/", "200", "301 /b", "forward+", "redirect", "https://x/"]
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_expectation(text)
    assert refused.value.code == "bad-expectation"


def test_every_decision_has_words() -> None:
    assert describe(Misdirected(b"x")) == "421"
    assert describe(BadRequest(414, "…")) == "414"
