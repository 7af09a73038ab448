"""The table of mappings: a text, and an index over it."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.mapping import SMALL, MappingFile, MappingTable, Row

olds = st.text("/ab%2F.~", max_size=8).map(lambda text: b"/" + text.encode())
news = st.text("/abh%2F.~?#", max_size=8).map(lambda text: b"https://new.example/" + text.encode())
rows = st.lists(st.tuples(olds, st.sampled_from([None, 301, 302, 308]), news), max_size=60)


def text_of(pairs: list[tuple[bytes, int | None, bytes]]) -> bytes:
    lines = [
        b"%b %b\n" % (old, new) if status is None else b"%b %d %b\n" % (old, status, new) for old, status, new in pairs
    ]
    return b"\n" + b"".join(lines)


@given(rows, st.lists(olds, max_size=20), st.sampled_from([0, SMALL]))
def test_every_row_is_found_by_its_old_path_and_nothing_else_is(
    pairs: list[tuple[bytes, int | None, bytes]], others: list[bytes], small: int
) -> None:
    table = MappingTable(text_of(pairs), [MappingFile("a.csv", 0, range(2, len(pairs) + 2))], small=small)
    assert [(row.old, row.status, row.location) for row in table] == pairs
    firsts: dict[bytes, Row] = {}
    repeated = []
    for row in table:
        first = firsts.setdefault(row.old, row)
        if first is not row:
            repeated.append((row.at, first.at))
    assert table.repeated == repeated
    for old in [*firsts, *others]:
        assert table.find(old) == (firsts[old].at if old in firsts else None)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_a_row_knows_its_file_and_line(counts: list[int]) -> None:
    text = b"\n"
    files = []
    places = []
    for number, count in enumerate(counts):
        files.append(MappingFile(f"{number}.csv", text.count(b"\n") - 1, array("I", range(5, 5 + 2 * count, 2))))
        places += [f"{number}.csv:{line}:1" for line in range(5, 5 + 2 * count, 2)]
        text += b"".join(b"/%d/%d https://new.example/\n" % (number, row) for row in range(count))
    table = MappingTable(text, files)
    assert [str(table.place(row.at)) for row in table] == places


@pytest.mark.parametrize("small", [0, SMALL])
@pytest.mark.parametrize("olds", [[], [b""], [b"", b"/"]])
def test_the_root_may_be_an_old_path_and_a_table_empty(olds: list[bytes], small: int) -> None:
    text = text_of([(old, None, b"http://new.example/") for old in olds])
    table = MappingTable(text, [MappingFile("a.csv", 0, range(len(olds)))], small=small)
    assert [row.old for row in table] == olds
    assert [table.find(old) for old in olds] == [row.at for row in table]
    assert table.find(b"/a") is None


@pytest.mark.parametrize("small", [0, SMALL])
def test_a_path_that_ends_like_another_is_another(small: int) -> None:
    text = text_of([(b"/x/a", None, b"https://new.example/1"), (b"/x/a/b", 302, b"https://new.example/2")])
    table = MappingTable(text, [MappingFile("a.csv", 0, range(2))], small=small)
    for path in (b"/a", b"/x", b"/x/a/", b"/x/a/b/", b"x/a", b"/x/a/b/c"):
        assert table.find(path) is None


def test_many_rows_find_their_slots() -> None:
    olds = [b"/%d" % number for number in range(SMALL + 1)]
    table = MappingTable.of("a.csv", [(old, b"https://new.example" + old) for old in olds])
    assert [table.find(old) for old in olds] == [row.at for row in table]
    assert not any(table.find(b"/x" + old) for old in olds)
