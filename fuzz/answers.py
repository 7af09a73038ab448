"""What origins say: answers, and bodies in chunks, read the same however they are cut, or malformed."""

from __future__ import annotations

from typing import NamedTuple

from fuzz.cutting import ways
from proxy.wire.chunks import ChunkedBody, chunk, last_chunk
from proxy.wire.fields import FieldLimits
from proxy.wire.head import Header, response_head
from proxy.wire.malformed import MalformedError
from proxy.wire.origin_answer import WITHOUT_BODY, AnswerHead, AnswerParser

LIMITS = FieldLimits(line=400, lines=20, section=1000)
_INTERIM = 32
"""So many heads may come before the answer."""


class Read(NamedTuple):
    """What a parser has made of what an origin says."""

    heads: list[AnswerHead]
    body: bytes
    complete: bool
    reusable: bool
    excess: bool
    trailers: list[Header]
    ends: bool
    """Whether it is complete once the connection has ended."""


def answers(data: bytes) -> None:
    """An answer to GET and to HEAD is read in one way; what is sent on of it says the same."""
    said, others = ways(data)
    for method in (b"GET", b"HEAD"):
        read = _read([said], method)
        for cut in others:
            assert _read(cut, method) == read
        if read is None:
            continue
        if not read.heads:
            assert len(said) <= LIMITS.section, "a head without end"
            continue
        assert len(read.heads) <= _INTERIM
        assert all(head.is_interim for head in read.heads[:-1])
        _check_body(said, method, read)
        if not read.heads[-1].is_interim:
            _check_passed_on(method, read)


def chunks(data: bytes) -> None:
    """A body in chunks is read in one way, to its end and no further; written anew it is the same body."""
    said, others = ways(data)
    content, behind, trailers = _content([said])
    for cut in others:
        assert _content(cut) == (content, behind, trailers)
    if content is None or behind is None:
        return
    assert said.endswith(behind)
    again = b"".join([*([chunk(content)] if content else []), last_chunk(trailers)])
    assert _content([again + behind]) == (content, behind, trailers)


def _read(cut: list[bytes], method: bytes) -> Read | None:
    """`None` where it is malformed."""
    parser = AnswerParser(LIMITS, method=method)
    heads: list[AnswerHead] = []
    body = b""
    try:
        for piece in cut:
            for event in parser.feed(piece):
                assert event
                if isinstance(event, AnswerHead):
                    assert not body
                    heads.append(event)
                else:
                    body += event
    except MalformedError:
        return None
    complete, reusable, excess = parser.complete, parser.is_reusable, parser.has_excess
    parser.end()
    assert not parser.is_reusable
    return Read(heads, body, complete, reusable, excess, parser.trailers, parser.complete)


def _check_body(said: bytes, method: bytes, read: Read) -> None:
    """As long as its head says, and byte for byte what was said."""
    head, body = read.heads[-1], read.body
    lengths = [int(value) for name, value in head.headers if name.lower() == b"content-length"]
    assert lengths == ([] if head.length is None else [head.length])
    if head.is_interim or head.status == 101:
        assert not read.complete
        assert not read.reusable
    elif method == b"HEAD" or head.status in WITHOUT_BODY:
        assert read.complete
        assert not body
    elif head.length is not None:
        assert len(body) == head.length if read.complete else len(body) < head.length
        assert read.excess or said.endswith(body)
        assert body in said
    elif not head.is_chunked:
        assert said.endswith(body)
        assert not read.complete
        assert read.ends
    if read.reusable:
        assert read.complete
        assert not read.excess
        assert head.keeps_alive


def _check_passed_on(method: bytes, read: Read) -> None:
    """Whoever reads what is written of it reads the same."""
    head = read.heads[-1]
    written = response_head(head.status, head.headers, head.reason)
    if head.is_chunked and method != b"HEAD" and head.status not in WITHOUT_BODY:
        written += chunk(read.body) if read.body else b""
        written += last_chunk(read.trailers) if read.complete else b""
    else:
        written += read.body
    again = _read([written], method)
    assert again is not None
    (head_again,) = again.heads
    assert head_again._replace(version=head.version, keeps_alive=head.keeps_alive) == head
    assert (again.body, again.complete, again.trailers) == (read.body, read.complete, read.trailers)


def _content(cut: list[bytes]) -> tuple[bytes | None, bytes | None, list[Header]]:
    """The content, what comes behind the body, and its trailers.

    There is no content where it is malformed, and nothing behind what is not complete.
    """
    body = ChunkedBody(LIMITS)
    content = b""
    for number, piece in enumerate(cut):
        try:
            read, consumed = body.feed(piece)
        except MalformedError:
            return None, None, []
        assert all(read)
        content += b"".join(read)
        if body.complete:
            return content, piece[consumed:] + b"".join(cut[number + 1 :]), body.trailers
        assert consumed == len(piece)
    return content, None, []
