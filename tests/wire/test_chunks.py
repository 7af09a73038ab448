"""Bodies in chunks, cut anywhere: what is in them, where they end, and what is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.chunks import ChunkedBody, chunk, last_chunk
from proxy.wire.fields import FieldLimits
from proxy.wire.malformed import MalformedError
from tests.wire.feeding import cuts

LIMITS = FieldLimits(line=100, lines=3, section=200)
TAIL = b"GET / HTTP/1.1\r\n"


def read(pieces: list[bytes]) -> tuple[bytes, Any, bytes]:
    """The content, the trailers, and what came behind; the trailers are None where the end did not come."""
    body, content, rest = ChunkedBody(LIMITS), b"", b""
    for piece in pieces:
        found, consumed = ([], 0) if body.complete else body.feed(piece)
        assert all(found)
        content += b"".join(found)
        rest += piece[consumed:]
    return content, body.trailers if body.complete else None, rest


WELL_FORMED = {
    "empty": (b"0\r\n\r\n", b"", []),
    "one chunk": (b"3\r\nabc\r\n0\r\n\r\n", b"abc", []),
    "three": (b"1\r\na\r\n02\r\nbc\r\n0000000000000001\r\nd\r\n000\r\n\r\n", b"abcd", []),
    "hexadecimal": (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2, []),
    "line ends in the content": (b"6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", b"\r\n0\r\n\r", []),
    "an extension": (b'3;a=b;c="d, e" ;f\r\nabc\r\n0 ; x\r\n\r\n', b"abc", []),
    "trailers": (b"1\r\na\r\n0\r\nX: 1\r\nx:  2 \r\n\r\n", b"a", [(b"X", b"1"), (b"x", b"2")]),
}


@pytest.mark.parametrize(("data", "content", "trailers"), WELL_FORMED.values(), ids=WELL_FORMED)
@pytest.mark.parametrize("tail", [b"", TAIL])
def test_a_body_ends_where_it_ends(data: bytes, content: bytes, trailers: list[Any], tail: bytes) -> None:
    for pieces in cuts(data + tail):
        assert read(pieces) == (content, trailers, tail)


@pytest.mark.parametrize(("data", "content"), [case[:2] for case in WELL_FORMED.values()], ids=WELL_FORMED)
def test_a_body_that_is_cut_short_is_not_complete(data: bytes, content: bytes) -> None:
    for place in range(len(data)):
        found, trailers, _ = read([data[:place]] if place else [])
        assert trailers is None
        assert content.startswith(found)


MALFORMED = {
    "no size": b"\r\n",
    "an extension without a size": b";a\r\n",
    "not hexadecimal": b"g\r\n",
    "a sign": b"+3\r\nabc\r\n",
    "0x": b"0x3\r\nabc\r\n",
    "an underscore": b"1_0\r\n",
    "a blank before": b" 3\r\nabc\r\n",
    "a blank behind": b"3 \r\nabc\r\n",
    "17 digits": b"00000000000000003\r\nabc\r\n",
    "a bare LF behind the size": b"3\nabc\r\n0\r\n\r\n",
    "a CR within": b"3;\rx\r\nabc\r\n",
    "a NUL in an extension": b"3;a\0b\r\nabc\r\n",
    "an extension without end": b"3;" + b"a" * 2000,
    "a chunk that is longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "a chunk that is shorter": b"3\r\nab\r\n0\r\n\r\n",
    "a bare LF behind a chunk": b"3\r\nabc\n0\r\n\r\n",
    "a trailer that is none": b"0\r\nX\r\n\r\n",
    "a blank before a colon": b"0\r\nX : 1\r\n\r\n",
    "a folded trailer": b"0\r\nX: 1\r\n 2\r\n\r\n",
    "a trailer without a name": b"0\r\n: 1\r\n\r\n",
    "a trailer that ends in a bare LF": b"0\r\nX: 1\n\r\n",
    "a CR in a trailer": b"0\r\nX: 1\r2\r\n\r\n",
    "a bare LF at the end": b"0\r\n\n",
    "a trailer that is too long": b"0\r\nX: " + b"a" * 100 + b"\r\n\r\n",
    "too many trailers": b"0\r\n" + b"X: 1\r\n" * 4 + b"\r\n",
    "trailers without end": b"0\r\n" + b"X: 1\r\n" * 100,
    "a trailer without end": b"0\r\n" + b"X" * 300,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_body_in_chunks_is_malformed(data: bytes) -> None:
    for pieces in cuts(data):
        with pytest.raises(MalformedError):
            read(pieces)


@given(st.lists(st.binary(min_size=1)), st.lists(st.tuples(st.just(b"X"), st.just(b"1")), max_size=3), st.binary())
def test_what_is_written_is_read(contents: list[bytes], trailers: list[tuple[bytes, bytes]], tail: bytes) -> None:
    written = b"".join(map(chunk, contents)) + last_chunk(trailers)
    assert read([written + tail]) == (b"".join(contents), trailers, tail)


@given(st.binary(), st.integers(0, 100))
def test_any_bytes_are_read_or_malformed_however_they_are_cut(data: bytes, place: int) -> None:
    results: list[Any] = []
    for pieces in ([data], [data[:place], data[place:]]):
        try:
            results.append(read(pieces))
        except MalformedError:
            results.append(None)
    assert results[0] == results[1]
