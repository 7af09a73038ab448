"""Answers of origins, cut anywhere: heads, bodies, where they end, and what is none."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.fields import FieldLimits
from proxy.wire.head import response_head
from proxy.wire.malformed import MalformedError
from proxy.wire.origin_answer import AnswerHead, AnswerParser
from tests.wire.feeding import cuts

LIMITS = FieldLimits(line=400, lines=20, section=1000)
OK = b"HTTP/1.1 200 OK\r\n"


class Read(NamedTuple):
    heads: list[AnswerHead]
    body: bytes
    complete: bool
    reusable: bool
    excess: bool
    trailers: list[tuple[bytes, bytes]]


def read(pieces: list[bytes], method: bytes = b"GET", *, ends: bool = False) -> Read:
    parser = AnswerParser(LIMITS, method=method)
    heads, body = [], b""
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, AnswerHead):
                assert not body
                heads.append(event)
            else:
                assert event
                body += event
    if ends:
        parser.end()
    return Read(heads, body, parser.complete, parser.is_reusable, parser.has_excess, parser.trailers)


# What comes, the method asked with, the body, and whether the connection is good for another request.
COMPLETE = {
    "a length": (OK + b"Content-Length: 3\r\n\r\nabc", b"GET", b"abc", True),
    "no body": (OK + b"content-length:0\r\n\r\n", b"GET", b"", True),
    "chunks": (OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"GET", b"abc", True),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n", b"GET", b"", True),
    "the head of a length": (OK + b"Content-Length: 3\r\n\r\n", b"HEAD", b"", True),
    "the head of chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"HEAD", b"", True),
    "the head of something": (OK + b"\r\n", b"HEAD", b"", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b"GET", b"", True),
    "204 of no length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b"GET", b"", True),
    "304 of a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", b"GET", b"", True),
    "304 of chunks": (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", b"GET", b"", True),
    "close": (OK + b"Connection: x, Close\r\nContent-Length: 3\r\n\r\nabc", b"GET", b"abc", False),
    "close on another line": (
        OK + b"Connection: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"GET",
        b"",
        False,
    ),
    "both": (OK + b"Connection: keep-alive, close\r\nContent-Length: 0\r\n\r\n", b"GET", b"", False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"GET", b"abc", False),
    "HTTP/1.0 that goes on": (
        b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\nabc",
        b"GET",
        b"abc",
        True,
    ),
    "hints before": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        + OK
        + b"Content-Length: 1\r\n\r\na",
        b"POST",
        b"a",
        True,
    ),
}


@pytest.mark.parametrize(("data", "method", "body", "reusable"), COMPLETE.values(), ids=COMPLETE)
def test_an_answer_ends_by_itself(data: bytes, method: bytes, body: bytes, *, reusable: bool) -> None:
    for pieces in cuts(data):
        answer = read(pieces, method)
        assert (answer.body, answer.complete, answer.reusable, answer.excess) == (body, True, reusable, False)


@pytest.mark.parametrize(("data", "method", "body"), [case[:3] for case in COMPLETE.values()], ids=COMPLETE)
def test_what_comes_behind_an_answer_is_nobodys(data: bytes, method: bytes, body: bytes) -> None:
    for pieces in cuts(data + OK):
        answer = read(pieces, method)
        assert (answer.body, answer.complete, answer.reusable, answer.excess) == (body, True, False, True)


@pytest.mark.parametrize(("data", "method"), [case[:2] for case in COMPLETE.values()], ids=COMPLETE)
def test_an_answer_that_is_cut_short_is_not_complete(data: bytes, method: bytes) -> None:
    for place in range(1, len(data)):
        assert not read([data[:place]], method, ends=True).complete


@pytest.mark.parametrize("start", [b"HTTP/1.0 200 OK\r\n", OK, OK + b"Connection: keep-alive\r\n"])
def test_an_answer_may_end_with_the_connection(start: bytes) -> None:
    for pieces in cuts(start + b"\r\nab\r\n\r\n"):
        assert not read(pieces).complete
        answer = read(pieces, ends=True)
        assert (answer.body, answer.complete, answer.reusable) == (b"ab\r\n\r\n", True, False)


def test_what_follows_on_another_protocol_is_given_as_it_comes() -> None:
    for pieces in cuts(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\n\0"):
        answer = read(pieces)
        assert [head.status for head in answer.heads] == [101]
        assert (answer.body, answer.complete, answer.reusable) == (b"HTTP/1.1 200 OK\n\0", False, False)


def test_heads_are_given_as_they_came() -> None:
    data = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
        b"HTTP/1.0 299 caf\xe9\tau lait\r\nSet-Cookie: a=1\r\nX-Empty:\r\nx-blanks: \t a  b\t \r\nSet-Cookie:b=2\r\n"
        b"!#$%&'*+-.^_`|~0: \xff\r\n\r\n"
    )
    for pieces in cuts(data):
        hints, final = read(pieces).heads
        assert (hints.status, hints.reason, hints.version) == (103, b"Early Hints", b"1.1")
        assert hints.headers == [(b"Link", b"</a.css>; rel=preload")]
        assert (final.status, final.reason, final.version) == (299, b"caf\xe9\tau lait", b"1.0")
        assert final.headers == [
            (b"Set-Cookie", b"a=1"),
            (b"X-Empty", b""),
            (b"x-blanks", b"a  b"),
            (b"Set-Cookie", b"b=2"),
            (b"!#$%&'*+-.^_`|~0", b"\xff"),
        ]


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 ", 200, b""),
        (b"HTTP/1.1 200", 200, b""),
        (b"HTTP/1.1 999  two  blanks ", 999, b" two  blanks "),
    ],
)
def test_a_reason_may_be_anything_or_nothing(line: bytes, status: int, reason: bytes) -> None:
    (head,) = read([line + b"\r\n\r\n"]).heads
    assert (head.status, head.reason) == (status, reason)


LENGTH = b"Content-Length: 3\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "nonsense": b"nonsense\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an empty line first": b"\r\n" + OK + LENGTH + b"\r\nabc",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status below 100": b"HTTP/1.1 099 OK\r\n\r\n",
    "a signed status": b"HTTP/1.1 +20 OK\r\n\r\n",
    "two blanks": b"HTTP/1.1  200 OK\r\n\r\n",
    "a control in the reason": b"HTTP/1.1 200 O\x0bK\r\n\r\n",
    "a CR in the reason": b"HTTP/1.1 200 O\rK\r\n\r\n",
    "bare LF throughout": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "a bare LF": OK + b"X: a\nY: b\r\n" + LENGTH + b"\r\nabc",
    "a bare LF at the end": OK + LENGTH + b"\nabc",
    "a bare LF behind hints": b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\n\r\n",
    "a NUL in a value": OK + b"X: a\0b\r\n\r\n",
    "a CR in a value": OK + b"X: a\rSet-Cookie: b\r\n\r\n",
    "a control in a value": OK + b"X: \x7f\r\n\r\n",
    "a folded line": OK + b"X: a\r\n b\r\n\r\n",
    "a blank before the first field": OK + b" X: a\r\n\r\n",
    "a blank before the colon": OK + b"X : a\r\n\r\n",
    "a blank in a name": OK + b"X Y: a\r\n\r\n",
    "no name": OK + b": a\r\n\r\n",
    "no colon": OK + b"X\r\n\r\n",
    "a name outside ASCII": OK + b"caf\xe9: a\r\n\r\n",
    "length and chunks": OK + LENGTH + CHUNKS + b"\r\n0\r\n\r\n",
    "chunks and length": OK + CHUNKS + LENGTH + b"\r\n0\r\n\r\n",
    "two lengths": OK + LENGTH + b"Content-Length: 4\r\n\r\nabcd",
    "the same length twice": OK + LENGTH + LENGTH + b"\r\nabc",
    "the same length twice in a list": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "a negative length": OK + b"Content-Length: -3\r\n\r\nabc",
    "a signed length": OK + b"Content-Length: +3\r\n\r\nabc",
    "an empty length": OK + b"Content-Length:\r\n\r\n",
    "a length of words": OK + b"Content-Length: three\r\n\r\nabc",
    "a length of 19 digits": OK + b"Content-Length: 0000000000000000003\r\n\r\nabc",
    "a coding on top of another": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\n",
    "an empty coding": OK + b"Transfer-Encoding:\r\n\r\n",
    "chunks twice": OK + CHUNKS + CHUNKS + b"\r\n0\r\n\r\n",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + CHUNKS + b"\r\n0\r\n\r\n",
    "a bad chunk": OK + CHUNKS + b"\r\nzz\r\n",
    "a bad trailer": OK + CHUNKS + b"\r\n0\r\nX : 1\r\n\r\n",
    "a body on 204": b"HTTP/1.1 204 No Content\r\n" + LENGTH + b"\r\nabc",
    "chunks on 204": b"HTTP/1.1 204 No Content\r\n" + CHUNKS + b"\r\n0\r\n\r\n",
    "a body on 103": b"HTTP/1.1 103 Early Hints\r\n" + LENGTH + b"\r\nabc",
    "a body on 101": b"HTTP/1.1 101 Switching Protocols\r\n" + LENGTH + b"\r\nabc",
    "a field that is too long": OK + b"X: " + b"a" * 401 + b"\r\n\r\n",
    "too many fields": OK + b"X: a\r\n" * 21 + b"\r\n",
    "a head that is too large": OK + (b"X: " + b"a" * 300 + b"\r\n") * 4 + b"\r\n",
    "a head without end": OK + b"X: a\r\n" * 1000,
    "a line without end": OK + b"X" * 1001,
    "nothing but hints": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 32,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_can_be_read_in_two_ways_or_none_is_malformed(data: bytes) -> None:
    for pieces in cuts(data):
        with pytest.raises(MalformedError):
            read(pieces)


def test_the_largest_head_that_may_be_is_taken() -> None:
    data = OK + b"X: " + b"a" * 399 + b"\r\n" + b"Y: a\r\n" * 19 + b"\r\n"
    for pieces in cuts(data):
        assert len(read(pieces).heads) == 1


NAMES = st.sampled_from([b"A", b"x-b", b"Content-Length", b"Transfer-Encoding", b"Connection"])
VALUES = st.sampled_from([b"", b"a", b"3", b"chunked", b"close", b"a\tb", b"\xff"])


@given(st.lists(st.tuples(NAMES, VALUES)), st.sampled_from([200, 204, 304, 103, 101]), st.binary(), st.integers(0, 200))
def test_any_answer_is_read_the_same_however_it_is_cut(
    fields: list[tuple[bytes, bytes]], status: int, body: bytes, place: int
) -> None:
    data = response_head(status, fields) + body
    assert outcome([data]) == outcome([data[:place], data[place:]]) == outcome([bytes([byte]) for byte in data])


@given(st.binary())
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    assert outcome([data]) == outcome([bytes([byte]) for byte in data])


def outcome(pieces: list[bytes]) -> Any:
    try:
        return read(pieces)
    except MalformedError:
        return None
