"""Strict YAML 1.2 core, with places."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.rulebook.composer import MAX_DEPTH, TooDeepError, compose, composers
from proxy.rulebook.document import Document, parse_document


def parsed(text: str) -> Document:
    document, problems = parse_document("f.yaml", text)
    assert problems == []
    assert document is not None
    return document


def codes(text: str) -> list[str]:
    return [problem.code for problem in parse_document("f.yaml", text)[1]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        # what YAML 1.1 takes for something else is text
        *((text, text) for text in ("NO", "no", "yes", "on", "off", "y", "Y", "n", "1:30", "1_000", "0b1", "=", "<<")),
        *((text, text) for text in ("2024-10-09", "2024-12-31T10:00Z", "2024-12-31 10:00", "-a", "nUlL", "tRue", ".")),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("+12", 12),
        ("-0", 0),
        ("12e03", 12000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-2E+05", -200000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 1", None),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("[a, b]", ["a", "b"]),
    ],
)
def test_scalars_are_those_of_the_core_schema(written: str, value: object) -> None:
    if written == "!!float 1":
        value = 1.0
    got = parsed(f"k: {written}\n").data["k"]
    assert (got, type(got)) == (value, type(value))


def test_not_a_number_is_a_number() -> None:
    value = parsed("k: .nan\n").data["k"]
    assert value != value  # noqa: PLR0124 - that is what NaN is


def test_keys_are_text_whatever_they_look_like() -> None:
    assert parsed("{1: a, true: b, null: c, 2024-01-01: d}\n").data == {
        "1": "a",
        "true": "b",
        "null": "c",
        "2024-01-01": "d",
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "duplicate-key"),
        ("a: {b: 1, c: 2, b: 3}\n", "duplicate-key"),
        ("1: a\n'1': b\n", "duplicate-key"),
        ("a: !!set {b}\n", "yaml-tag"),
        ("a: !!timestamp 2024-01-01\n", "yaml-tag"),
        ("a: !!python/object:os.system {}\n", "yaml-tag"),
        ("a: !!bool yes\n", "yaml-tag"),
        ("!mine b: c\n", "yaml-tag"),
        ("a: 1\n--- \nb: 1\n", "yaml-documents"),
        ("? {a: b}\n: c\n", "yaml-key"),
        ("a: &a {b: *a}\n", "yaml-alias"),
        ("a: &a [[[*a]]]\n", "yaml-alias"),
        ("a: *b\n", "yaml-syntax"),
        ("a: [\n", "yaml-syntax"),
        ("a: \x00\n", "yaml-syntax"),
        ("a: 1000000000000000000000000\n", "wrong-value"),
        ("# nothing\n", "file-empty"),
    ],
)
def test_what_is_beyond_the_core_is_refused(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize("text", ["\n\n[", "a: [", "a: [\r", "a: {b", 'a: "\n', "a: [\u2028 "])
def test_a_place_is_never_below_the_text(text: str) -> None:
    (problem,) = parse_document("f.yaml", text)[1]
    assert problem.place.line <= len(f"{text}.".splitlines())


def test_an_end_marker_ends_the_document() -> None:
    assert parsed("a: 1\n...\n").data == {"a": 1}


def test_aliases_repeat_values() -> None:
    document = parsed("a: &a {x: [1, 2]}\nb: *a\nc: [*a, *a]\n")
    assert document.data["c"] == [{"x": [1, 2]}, {"x": [1, 2]}]


def test_a_billion_laughs_are_refused_at_once() -> None:
    laughs = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10 if n else ['ha'])}]\n" for n in range(30))
    assert codes(laughs) == ["yaml-alias"]


@pytest.mark.parametrize("composer", composers)
@pytest.mark.parametrize(
    ("nesting", "place"),
    [
        ("[", (1, 24)),
        ("{", (1, 24)),
        ("[{", (1, 24)),
        ("[[{{", (1, 24)),
        ("{a: ", (1, 93)),
        ("[a, ", (1, 93)),
        ("{? ", (1, 70)),
        ("- ", (1, 47)),
        ("? ", (1, 47)),
        ("!!seq [", (1, 162)),
        ("[\n", (24, 1)),
    ],
)
def test_depth_is_counted_before_any_stack_ends(composer: type[Any], nesting: str, place: tuple[int, int]) -> None:
    with pytest.raises(TooDeepError) as caught:
        compose(nesting * 5000, composer)
    assert (caught.value.mark.line + 1, caught.value.mark.column + 1) == place


def test_a_file_that_is_too_deep_is_told_where() -> None:
    text = "site: s\nrules: " + "[" * 5000
    document, problems = parse_document("f.yaml", text)
    assert document is None
    assert [(str(problem.place), problem.code) for problem in problems] == [("f.yaml:2:30", "yaml-depth")]


@pytest.mark.parametrize(("depth", "found"), [(MAX_DEPTH, []), (MAX_DEPTH + 1, ["yaml-depth"])])
def test_a_file_may_nest_as_deep_as_is_said(depth: int, found: list[str]) -> None:
    assert codes("[" * depth + "]" * depth) == found


@pytest.mark.parametrize("composer", composers)
def test_both_composers_find_the_same(composer: type[Any]) -> None:
    root = compose("a: {b: [NO, 1, 'x', ~, *c]}\nd: 2024-10-09\n".replace("1,", "&c 1,"), composer)
    assert root is not None
    assert _dump(root) == _dump(compose("a: {b: [NO, &c 1, 'x', ~, *c]}\nd: 2024-10-09\n"))


def _dump(node: Any) -> object:
    mark = (node.start_mark.line, node.start_mark.column, node.tag)
    if isinstance(node.value, str):
        return (*mark, node.value)
    return (*mark, [_dump(part) if not isinstance(part, tuple) else [*map(_dump, part)] for part in node.value])


TEXT = """\
site: s
rules:
  - path: /a
    query: {id: "{id}"}
  - {path: '/b', to: "/c"}
note: |
  text
"""


@pytest.mark.parametrize(
    ("loc", "value", "key"),
    [
        ((), "1:1", "1:1"),
        (("site",), "1:7", "1:1"),
        (("rules",), "3:3", "2:1"),
        (("rules", 0), "3:5", "3:5"),
        (("rules", 0, "path"), "3:11", "3:5"),
        (("rules", 0, "query", "id"), "4:17", "4:13"),
        (("rules", 1, "to"), "5:22", "5:18"),
        (("rules", 1, "gone"), "5:5", "5:5"),
        (("rules", 7), "3:3", "2:1"),
        (("nowhere", "at", "all"), "1:1", "1:1"),
    ],
)
def test_everything_has_a_place(loc: tuple[str | int, ...], value: str, key: str) -> None:
    document = parsed(TEXT)
    assert (str(document.place(loc)), str(document.key_place(loc))) == (f"f.yaml:{value}", f"f.yaml:{key}")


@pytest.mark.parametrize(
    ("loc", "column"),
    [(("rules", 0, "path"), 12), (("rules", 1, "path"), 14), (("rules", 1, "to"), 24), (("note",), 7)],
)
def test_an_offset_counts_inside_of_the_text(loc: tuple[str | int, ...], column: int) -> None:
    assert parsed(TEXT).place(loc, offset=1).column == column


def test_what_is_left_of_a_document_keeps_its_place() -> None:
    document = parsed(TEXT).without([("site",), ("rules", 0), ("rules", 1, "to"), ("not", "there")])
    assert document.data == {"rules": [{"path": "/b"}], "note": "text\n"}
    assert str(document.place(("rules", 0, "path"))) == "f.yaml:5:12"


def test_a_key_that_is_none_is_left_out_too() -> None:
    document, problems = parse_document("f.yaml", "? [a]\n: b\nc: d\ne: f\n")
    assert [problem.code for problem in problems] == ["yaml-key"]
    assert document is not None
    assert document.without([("c",)]).data == {"e": "f"}


def test_a_byte_order_mark_is_no_text_and_windows_line_ends_are_line_ends() -> None:
    document, problems = parse_document("f.yaml", "a: 1\r\nb: [\r\n")
    assert document is None
    assert (problems[0].place.line, problems[0].source) == (3, "")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    document, problems = parse_document("f.yaml", text)
    assert document is not None or problems


@settings(deadline=None)
@given(st.text(alphabet="abk:- ,[]{}\n&*!?'\"|>#%1", max_size=80))
def test_no_punctuation_raises(text: str) -> None:
    document, problems = parse_document("f.yaml", text)
    assert document is not None or problems
