"""Regular expressions: what RE2 takes, and the prefix that the table is indexed by."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxy.core.decision import Redirect
from proxy.core.rulebook import Rulebook
from proxy.rulebook.refusal import Refusal
from proxy.rulebook.regex import parse_regex, unusual_escape, with_families


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


@settings(deadline=None)
@given(
    st.lists(PATTERNS.map("/".__add__), min_size=4, max_size=80),
    st.lists(st.text("abx/", max_size=5).map(lambda text: b"/" + text.encode()), min_size=1, max_size=20),
)
def test_where_a_family_does_not_match_none_of_its_members_does(texts: list[str], paths: list[bytes]) -> None:
    patterns = [parse_regex(text, match_case=True) for text in texts]
    for alone, pattern in zip(patterns, with_families(patterns, match_case=True), strict=True):
        assert (pattern.text, pattern.regex, pattern.prefix) == (alone.text, alone.regex, alone.prefix)
        for path in paths:
            if pattern.family is not None and pattern.family.fullmatch(path) is None:
                assert pattern.regex.fullmatch(path) is None


@pytest.mark.parametrize("match_case", [True, False])
def test_many_expressions_with_one_prefix_are_families(match_case: bool) -> None:
    texts = [rf"^/P/(?P<name>[a-z]+)-{number}-(\d+)$" for number in range(70)]
    patterns = list(with_families([parse_regex(text, match_case=match_case) for text in texts], match_case=match_case))
    assert len({pattern.family for pattern in patterns} - {None}) == 3
    for pattern in patterns:
        assert pattern.family is not None
        assert (pattern.family.fullmatch(b"/p/x-69-1") is not None) is (not match_case and pattern in patterns[64:])
    assert all(pattern.family is None for pattern in with_families(patterns[:3], match_case=match_case))


def test_the_first_of_many_expressions_wins(load_files: Callable[..., Rulebook]) -> None:
    lines = "".join(f"  - {{regex: '^/p/[a-z]+-{number}\\d*$', to: /n/{number}}}\n" for number in range(100))
    rulebook = load_files("site: s\nhosts: [old.example]\nmoves_to: https://new.example\nrules:\n" + lines)
    table = rulebook.at(datetime(2030, 1, 1, tzinfo=UTC))
    for path, number in (("/p/x-7", 7), ("/p/x-77", 7), ("/p/x-10", 1), ("/p/x-99", 9), ("/p/x-0", 0)):
        decision = table.decide(b"old.example", path.encode())
        assert isinstance(decision, Redirect)
        assert decision.location == b"https://new.example/n/%d" % number
    kept = table.decide(b"old.example", b"/p/x-")
    assert isinstance(kept, Redirect)
    assert kept.location == b"https://new.example/p/x-"
