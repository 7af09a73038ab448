"""Redirects that lead to addresses of the same rulebook: circles and chains."""

from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.errors import RulebookErrors, Severity
from proxy.rulebook.load import load
from proxy.rulebook.loop import MAX_CHAINED_ROWS

Refused = Callable[..., list[str]]

OURS = "targets: ['*.old.example', old.example, new.example]\n"


def ring(size: int) -> dict[str, str]:
    files = {"rulebook.yaml": OURS}
    for at in range(size):
        after = (at + 1) % size
        files[f"s{at}.yaml"] = f"site: s{at}\nhosts: [s{at}.old.example]\nmoves_to: https://s{after}.old.example\n"
    return files


@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
def test_a_circle_of_any_size_is_found_once(refused: Refused, size: int) -> None:
    assert refused(ring(size)) == ["s0.yaml:1:1: loop"]


def test_a_circle_names_all_of_its_places(rule_folder: Callable[..., Path]) -> None:
    with pytest.raises(RulebookErrors) as caught:
        load(rule_folder(ring(5)))
    (problem,) = caught.value.problems
    assert problem.severity is Severity.ERROR
    assert problem.source == "site: s0"
    for at in range(5):
        assert f"https://s{at}.old.example/ (rules/s{at}.yaml:1:1)" in problem.message


SITE = "site: s\nhosts: [old.example, www.old.example]\n"


@pytest.mark.parametrize(
    ("rules", "keys", "problems"),
    [
        # circles
        (["{path: /a, to: OLD/a}"], "", ["s.yaml:4:5: loop"]),
        (["{path: /a, to: OLD/a/}"], "", ["s.yaml:4:5: loop"]),
        (["{path: /a, to: OLD/a#y}"], "", ["s.yaml:4:5: loop"]),
        (["{path: /a, to: OLD/a?x=1}"], "", ["s.yaml:4:20: loop"]),  # its query grows
        (["{path: '/a/{x}', to: 'OLD/a/{x}'}"], "", ["s.yaml:4:5: loop"]),
        (["{path: /a/*, to: 'OLD/a/{*}'}"], "", ["s.yaml:4:5: loop"]),
        (["{path: /a/*, to: 'OLD/a/b/{*}'}"], "", ["s.yaml:4:22: loop"]),  # its path grows
        (["{path: /a, to: OLD/b}", "{path: /b, to: OLD/a}"], "", ["s.yaml:4:5: loop"]),
        (["{regex: '/(x|y)-.*', to: 'OLD/y-{1}', example: '/x-1 -> 301'}"], "", ["s.yaml:4:5: loop"]),
        ([], "moves_to: https://www.old.example\n", ["s.yaml:1:1: loop"]),
        ([], "unmapped: https://old.example/gone\n", ["s.yaml:1:1: loop"]),
        ([], "moves_to: OLD\nunmapped: gone\nmappings: [m.csv]\n", ["m.csv:2:1: loop"]),
        # chains
        (["{path: /a, to: OLD/b}", "{path: /b, to: NEW/}"], "", ["s.yaml:4:20: chain"]),
        (["{path: /a, to: OLD/b}"], "moves_to: NEW\n", ["s.yaml:4:20: chain"]),
        (["{path: '/{a}', to: 'OLD/x/{a}'}", "{path: /x/*, to: 'NEW/{*}'}"], "", ["s.yaml:4:24: chain"]),
        # neither
        (["{path: /a, to: OLD/b}"], "", []),
        (["{path: /a, to: OLD/b}", "{path: /b, gone: true}"], "", []),
        (["{path: /a, to: https://shop.old.example/a}"], "", []),
        (["{path: /a, query: {x: '1'}, to: OLD/a}"], "", []),
        (["{path: /a, methods: [POST], to: OLD/a}"], "", []),
        ([], "moves_to: NEW\n", []),
    ],
)
def test_redirects_are_followed_to_their_end(
    refused: Refused, rules: list[str], keys: str, problems: list[str]
) -> None:
    text = SITE + ("rules:\n" if rules else "") + "".join(f"  - {rule}\n" for rule in rules) + keys
    text = text.replace("OLD", "https://old.example").replace("NEW", "https://new.example")
    assert refused({"rulebook.yaml": OURS, "s.yaml": text, "m.csv": "old,new\n/a,/a/\n/b,/c\n"}) == problems


def test_a_circle_that_exists_only_for_a_while_is_found(refused: Refused) -> None:
    files = {
        "rulebook.yaml": OURS + "defaults: {timezone: UTC, origin: 'https://legacy.example'}\n",
        "a.yaml": (
            "site: a\nhosts: [a.old.example]\nschedule: {cutover: 2030-01-01}\nmoves_to: https://b.old.example\n"
        ),
        "b.yaml": (
            "site: b\nhosts: [b.old.example]\nschedule: {cutover: 2030-02-01}\nunmapped: gone\nrules:\n"
            "  - {path: /*, to: 'https://a.old.example/{*}', from: 2030-01-10, until: 2030-01-20}\n"
        ),
    }
    assert refused(files) == ["a.yaml:1:1: loop"]
    files["b.yaml"] = files["b.yaml"].replace("2030-01-10, until: 2030-01-20", "2029-01-10, until: 2030-01-01")
    assert refused(files) == []


def test_before_a_cutover_nothing_goes_in_circles(refused: Refused) -> None:
    files = ring(2)
    files["rulebook.yaml"] += (
        "defaults: {timezone: UTC, origin: 'https://legacy.example', schedule: {notice: 2030-01-01}}\n"
    )
    assert refused(files) == []


def test_a_circle_through_wildcard_hosts_is_found(refused: Refused) -> None:
    files = {
        "rulebook.yaml": OURS,
        "s.yaml": "site: s\nhosts: ['*.old.example']\nmoves_to: https://{*host}.old.example/x\n",
    }
    assert refused(files) == ["s.yaml:3:11: loop"]  # its path grows


def test_http_that_is_sent_to_https_first_is_a_chain(refused: Refused) -> None:
    files = {
        "rulebook.yaml": OURS,
        "a.yaml": "site: a\nhosts: [a.old.example]\nunmapped: http://b.old.example/\n",
        "b.yaml": "site: b\nhosts: [b.old.example]\nhttps: redirect\n",
    }
    assert refused(files) == ["a.yaml:3:11: chain"]


def test_so_many_chains_are_counted(rule_folder: Callable[..., Path]) -> None:
    rows = "".join(f"/a{at},https://www.old.example/b{at}\n" for at in range(MAX_CHAINED_ROWS + 50))
    text = SITE + "moves_to: https://new.example\nmappings: [m.csv]\n"
    warnings = load(rule_folder({"rulebook.yaml": OURS, "s.yaml": text, "m.csv": "old,new\n" + rows})).warnings
    assert [warning.code for warning in warnings] == ["chain"] * (MAX_CHAINED_ROWS + 1)
    assert "50 more rows" in warnings[0].message
