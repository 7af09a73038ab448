"""Where rules are found."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.core.answer import Candidate, Constant
from proxy.core.decision import NotFound
from proxy.core.index import RegexIndex, Tree
from proxy.core.pattern import Capture, RegexPattern

prefixes = st.lists(st.text("/ab", max_size=5).map(lambda text: text.encode()), max_size=30)
paths = st.text("/abAB", max_size=8).map(lambda text: b"/" + text.encode())


@given(prefixes, paths, st.booleans())
def test_a_regex_is_possible_where_the_path_begins_with_its_literal(
    literals: list[bytes], path: bytes, fold: bool
) -> None:
    rules = [
        (RegexPattern("", re.compile(b""), literal), Candidate(Constant(NotFound(None)), order))
        for order, literal in enumerate(literals)
    ]
    compared = path.lower() if fold else path
    expected = [order for order, literal in enumerate(literals) if compared.startswith(literal)]
    possible = RegexIndex(rules, fold=fold).possible(path)
    assert sorted(candidate.order for family in possible for _, candidate in family.members) == expected


patterns = st.lists(st.one_of(st.sampled_from([b"a", b"b"]), st.just(Capture("c"))), max_size=4).map(tuple)


@given(
    st.lists(st.tuples(patterns, st.booleans()), max_size=12), st.lists(st.sampled_from([b"a", b"b", b""]), max_size=5)
)
def test_a_tree_finds_all_that_match_the_most_telling_first(
    planted: list[tuple[tuple[bytes | Capture, ...], bool]], segments: list[bytes]
) -> None:
    tree: Tree[tuple[bytes | Capture, ...]] = Tree()
    for pattern, tail in planted:
        node = tree.node(pattern)
        if tail:
            node.below = pattern
        else:
            node.whole = pattern

    def matching(*, tail: bool) -> list[tuple[bytes | Capture, ...]]:
        found = {
            pattern
            for pattern, has_tail in planted
            if has_tail is tail
            and (len(pattern) <= len(segments) if tail else len(pattern) == len(segments))
            and all(
                part == segment if isinstance(part, bytes) else segment != b""
                for part, segment in zip(pattern, segments, strict=False)
            )
        }
        return sorted(found, key=lambda pattern: [isinstance(part, Capture) for part in pattern])

    wholes, tails = tree.matches(segments)
    assert wholes == matching(tail=False)
    assert {pattern for pattern, _ in tails} == set(matching(tail=True))
    assert all(depth == len(pattern) for pattern, depth in tails)
    ranks = [[isinstance(part, Capture) for part in pattern] + [2] for pattern, _ in tails]
    assert ranks == sorted(ranks)
