"""Entity tags of pages with a notice in them, there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire.entity_tag import noticed_tag, origin_condition

TODAY, YESTERDAY = b"0f1e2d3c4b5a", b"a5b4c3d2e1f0"
OPAQUE = st.binary(max_size=20).map(lambda raw: bytes(byte for byte in raw if byte > 0x20 and byte not in {0x22, 0x7F}))


@pytest.mark.parametrize(
    ("tag", "noticed"),
    [
        (b'"abc"', b'W/"sunset.0f1e2d3c4b5a.s.abc"'),
        (b'W/"abc"', b'W/"sunset.0f1e2d3c4b5a.w.abc"'),
        (b'""', b'W/"sunset.0f1e2d3c4b5a.s."'),
        (b' "a.b,c" ', b'W/"sunset.0f1e2d3c4b5a.s.a.b,c"'),
        (b"abc", None),
        (b'w/"abc"', None),
        (b'"a"b"', None),
        (b'"a b"', None),
        (b"", None),
    ],
)
def test_a_tag_of_the_origin_becomes_a_weak_one_of_our_own(tag: bytes, noticed: bytes | None) -> None:
    assert noticed_tag(tag, TODAY) == noticed


@pytest.mark.parametrize(
    ("asked", "of_origin"),
    [
        (b'W/"sunset.0f1e2d3c4b5a.s.abc"', b'"abc"'),
        (b'W/"sunset.0f1e2d3c4b5a.w.abc"', b'W/"abc"'),
        (b'"sunset.0f1e2d3c4b5a.s.abc"', b'"abc"'),  # some caches forget that it is weak
        (b'W/"sunset.0f1e2d3c4b5a.s.a.b,c" , W/"sunset.0f1e2d3c4b5a.s."', b'"a.b,c", ""'),
        (b'"plain", W/"sunset.0f1e2d3c4b5a.s.abc"', b'"abc"'),
        (b'"plain"', None),
        (b'"s.plain"', None),
        (b'W/"sunset.a5b4c3d2e1f0.s.abc"', None),
        (b'W/"sunset.0f1e2d3c4b5a.x.abc"', None),
        (b'W/"sunset.0f1e2d3c4b5a.s"', None),
        (b"sunset.0f1e2d3c4b5a.s.abc", None),
        (b"", None),
        (b"*", b"*"),
    ],
)
def test_of_a_condition_the_origin_sees_what_names_this_very_banner(asked: bytes, of_origin: bytes | None) -> None:
    assert origin_condition(asked, TODAY) == of_origin


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([b"", b"W/"]), OPAQUE), min_size=1, max_size=4))
def test_there_and_back_is_where_it_was(tags: list[tuple[bytes, bytes]]) -> None:
    written = [b'%b"%b"' % tag for tag in tags]
    noticed = [noticed_tag(tag, TODAY) or b"" for tag in written]
    assert len(set(noticed)) == len(set(written))
    assert all(tag.startswith(b'W/"') for tag in noticed)
    assert origin_condition(b", ".join(noticed), TODAY) == b", ".join(written)
    assert origin_condition(b", ".join(noticed), YESTERDAY) is None


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_tag_raises(value: bytes) -> None:
    noticed_tag(value, TODAY)
    origin_condition(value, TODAY)
