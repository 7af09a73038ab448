"""Rule files that somebody's cat walked over: errors with places, or a rulebook whose table answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.core.decision import Redirect
from proxy.core.url import parse_host
from proxy.errors import RulebookErrors
from proxy.rulebook.load import load

SITE = """\
site: s
base: /uk
match_case: false
hosts: ["*.old.example", old.example]
origin: [https://legacy.example, "http://[::1]:80"]
moves_to: https://new.example/en
timezone: Europe/London
schedule: {notice: 2030-01-01, shop: "2030-01-02T10:00:00.5+01:00", cutover: 2030-02-01, end: null}
notice: {message: "until {cutover}", skip: [/uk/a/*]}
hsts: {max_age: 1d, preload: true}
keep_query: {drop: [a]}
headers: {X-A: b}
rules:
  - {path: "/uk/a/{b}", to: "/{b}/{id}", query: {id: "{id}", z: 1}, methods: [GET], from: shop, until: always}
  - {regex: '^/uk/(x|y)-(?P<n>\\d+)$', to: 'https://new.example/{n}?q={1}', example: '/uk/x-1 -> 301'}
  - {path: /uk/c/*, forward: true}
mappings: [m.csv]
tests:
  - {url: "https://old.example/uk/1", at: cutover, expect: 301 https://new.example/1}
"""
CSV = 'old,new,status\n/uk/1,/1,\n/uk/2?x=1,/2,302\nhttps://old.example/uk/3,https://new.example/3,\n"/uk/a,b",/4,\n'

EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 6),
        st.text("abz/:{}[]*&!#?-,'\" \n\t012~%<>|@\\é", max_size=3)
        | st.sampled_from(["null", "true", "2030-01-01", "{}"]),
    ),
    min_size=1,
    max_size=3,
)


def edited(text: str, edits: list[tuple[float, int, str]]) -> str:
    for where, dropped, put in edits:
        at = int(where * len(text))
        text = text[:at] + put + text[at + dropped :]
    return text


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS, st.booleans())
def test_no_file_raises_anything_but_its_errors(
    rule_folder: Callable[..., Path], edits: list[tuple[float, int, str]], of_csv: bool
) -> None:
    files = {"s.yaml": SITE, "m.csv": CSV}
    name = "m.csv" if of_csv else "s.yaml"
    folder = rule_folder(files | {name: edited(files[name], edits)})
    try:
        rulebook = load(folder)
    except RulebookErrors as errors:
        for problem in errors.problems:
            assert problem.place.file.startswith("rules/"), problem
            assert problem.with_caret()
        return
    for instant in (*rulebook.edges, datetime(2031, 1, 1, tzinfo=UTC)):
        for target in (b"/uk/a/1?id=1&z=1", b"/uk/x-1", b"/UK/C/1", b"/uk/2?x=1", b"/%zz"):
            decision = rulebook.at(instant).decide(b"www.old.example", target)
            if isinstance(decision, Redirect):
                assert parse_host(decision.location.split(b"/")[2]) == b"new.example"
