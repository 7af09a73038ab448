"""What a rule's path means, and what it cannot mean."""

import pytest

from proxy.core.kind import Kind
from proxy.core.pattern import Capture, PatternError, parse_path


@pytest.mark.parametrize(
    ("written", "kind", "segments"),
    [
        ("/", Kind.EXACT, ()),
        ("/a/b/", Kind.EXACT, (b"a", b"b")),
        ("/*", Kind.TAIL, ()),
        ("/a/*", Kind.TAIL, (b"a",)),
        ("/a/{b}/c", Kind.CAPTURES, (b"a", Capture("b"), b"c")),
        ("/{a}/*", Kind.TAIL, (Capture("a"),)),
        ("/actualités/a b", Kind.EXACT, (b"actualit%C3%A9s", b"a%20b")),
        ("/%7ea/%2f", Kind.EXACT, (b"~a", b"%2F")),
    ],
)
def test_a_path_is_a_list_of_segments_in_normal_form(
    written: str, kind: Kind, segments: tuple[bytes | Capture, ...]
) -> None:
    pattern = parse_path(written)
    assert (pattern.kind, pattern.segments) == (kind, segments)


@pytest.mark.parametrize(
    ("written", "complaint", "offset"),
    [
        ("uk", 'begins with "/"', 0),
        ("/a?b=1", "parameters", 2),
        ("/a#b", "fragment", 2),
        ("/a/*/b", "end only", 3),
        ("/a*", "end only", 2),
        ("/a/p-{id}.html", "whole segment", 5),
        ("/{a}/{a}", "twice", 5),
        ("/{}", "whole segment", 1),
        ("/a\tb", "control", 2),
    ],
)
def test_a_pattern_that_means_nothing_says_where(written: str, complaint: str, offset: int) -> None:
    with pytest.raises(PatternError, match=complaint) as caught:
        parse_path(written)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/a/{b}", "/a/{c}", True),
        ("/a", "/a/", True),
        ("/a", "/a/*", False),
        ("/%7Ea", "/~a", True),
        ("/a/{b}", "/a/b", False),
    ],
)
def test_two_patterns_are_the_same_where_they_match_the_same_paths(one: str, other: str, *, same: bool) -> None:
    assert (parse_path(one).identity == parse_path(other).identity) is same
