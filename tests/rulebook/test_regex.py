"""Regular expressions: what RE2 takes, and the prefix that the table is indexed by."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxy.rulebook.refusal import Refusal
from proxy.rulebook.regex import parse_regex, unusual_escape


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        (r"^/uk/p-(\d+)\.html$", b"/uk/p-"),
        ("/uk/p", b"/uk/p"),
        ("^/uk/?$", b"/uk"),
        ("/uk/x*", b"/uk/"),
        ("/uk/x+", b"/uk/x"),
        ("/uk/a|/uk/b", b"/uk/"),
        ("^(/uk|/fr)/x$", b"/"),
        ("/uk/[(]|/x", b"/"),
        (r"/uk\.x/[ab]", b"/uk.x/"),
        (r"/\Quk.\E/.*", b"/uk./"),
        ("(?i)/uk", b"/"),
        (".*", b""),
        ("^$", b""),
        ("/uk/(?P<page>[a-z]+)", b"/uk/"),
    ],
)
def test_the_prefix_is_what_every_match_begins_with(text: str, prefix: bytes) -> None:
    assert parse_regex(text, match_case=True).prefix == prefix


def test_where_case_does_not_count_the_prefix_is_in_lower_case() -> None:
    pattern = parse_regex("^/UK/P-(.*)$", match_case=False)
    assert pattern.prefix == b"/uk/p-"
    match = pattern.regex.fullmatch(b"/Uk/p-X")
    assert match is not None
    assert pattern.captures_of(match) == {"1": b"X"}


def test_groups_have_numbers_and_names() -> None:
    pattern = parse_regex(r"^/(?P<region>[a-z]+)/(\d+)?$", match_case=True)
    assert pattern.names == {"1", "2", "region"}
    match = pattern.regex.fullmatch(b"/uk/")
    assert match is not None
    assert pattern.captures_of(match) == {"1": b"uk", "2": b"", "region": b"uk"}


ATOMS = st.sampled_from(["a", "b", "/", "[ab]", ".", "x/"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(PATTERNS, st.data())
def test_no_match_begins_otherwise(text: str, data: st.DataObject) -> None:
    prefix = parse_regex(text, match_case=True).prefix
    path = data.draw(st.from_regex(re.compile(text, re.ASCII), fullmatch=True, alphabet=st.sampled_from("abx/")))
    assume(len(path) < 40)
    assert path.encode().startswith(prefix)


@pytest.mark.parametrize("text", ["(?=a)", r"(a)\1", "(", "a{2000}", "[z-a]", "é", "a b", "\n"])
def test_what_re2_does_not_take_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_regex(text, match_case=True)
    assert refused.value.code == "regex-refused"


def test_two_groups_of_one_name_are_refused() -> None:
    with pytest.raises(Refusal) as refused:
        parse_regex("/(?P<n>a)(?<n>b)", match_case=True)
    assert (refused.value.code, refused.value.offset) == ("capture-repeated", 12)


def test_refusing_writes_nothing_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refusal):
        parse_regex("(", match_case=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "found"), [("/%c3", ("%c3", 1)), ("/a%41", ("%41", 2)), ("/%C3%2F", None), ("/%zz", None)]
)
def test_an_escape_that_no_path_has_is_found(text: str, found: object) -> None:
    assert unusual_escape(text) == found
