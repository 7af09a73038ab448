"""Every kept input of a fuzzed target holds, and so does what comes of it by small changes."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent.parent.parent / "fuzz" / "corpus"


@cache
def kept(target: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


def test_every_target_has_a_corpus() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == TARGETS.keys()
    assert all(map(kept, TARGETS))


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_kept_holds(target: str) -> None:
    for data in kept(target):
        TARGETS[target](data)


@st.composite
def changed(draw: st.DrawFn, target: str) -> bytes:
    """One kept input, with a few pieces cut out and others put in, some of them from another."""
    data, other = draw(st.sampled_from(kept(target))), draw(st.sampled_from(kept(target)))
    for _ in range(draw(st.integers(1, 3))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        start, stop = sorted((draw(st.integers(0, len(other))), draw(st.integers(0, len(other)))))
        data = data[:at] + draw(st.one_of(st.binary(max_size=3), st.just(other[start:stop]))) + data[end:]
    return data


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60)
@given(data=st.data())
def test_what_is_changed_a_little_holds(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(changed(target)))
