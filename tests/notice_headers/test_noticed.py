"""The fields of pages with a notice in them, and of the requests for such pages."""

import pytest

from proxy.wire.head import Header
from proxy.wire.noticed import asking_for_page, noticed, varying

EDITION = b"0f1e2d3c4b5a"
IDENTITY = (b"Accept-Encoding", b"identity")
OURS, OURS_AT_ORIGIN = b'W/"sunset.0f1e2d3c4b5a.s.abc"', b'"abc"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ((b"Accept-Encoding", b"gzip, br"), []),
        ((b"If-Modified-Since", b"Mon, 01 Jan 2024 00:00:00 GMT"), []),
        ((b"If-None-Match", b'"plain"'), []),
        ((b"if-none-match", OURS), [(b"if-none-match", OURS_AT_ORIGIN)]),
        ((b"If-None-Match", b"*"), [(b"If-None-Match", b"*")]),
        ((b"If-Match", OURS), [(b"If-Match", OURS)]),  # whoever has a page with a notice must not write it back
        ((b"Cookie", b"a=b"), [(b"Cookie", b"a=b")]),
        ((b"X-Odd", b"  kept "), [(b"X-Odd", b"  kept ")]),
    ],
)
def test_a_page_is_asked_for_plain_and_whole(header: Header, expected: list[Header]) -> None:
    assert asking_for_page([(b"Host", b"po.co"), header], EDITION) == [(b"Host", b"po.co"), *expected, IDENTITY]


@pytest.mark.parametrize(
    "name",
    [
        *(b"Content-Length", b"Content-MD5", b"Digest", b"Repr-Digest", b"Content-Digest", b"Accept-Ranges"),
        *(b"Last-Modified", b"content-length"),
    ],
)
def test_what_holds_for_other_bytes_goes(name: bytes) -> None:
    headers = [(b"Content-Type", b"text/html"), (name, b"1"), (b"Set-Cookie", b"a"), (b"Set-Cookie", b"b")]
    assert noticed(headers, EDITION) == [headers[0], *headers[2:]]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [(OURS_AT_ORIGIN, [(b"Etag", OURS)]), (b"malformed", [])],
)
def test_the_entity_tag_becomes_our_own(tag: bytes, expected: list[Header]) -> None:
    assert noticed([(b"Etag", tag)], EDITION) == expected


def test_what_a_client_was_given_is_what_the_origin_is_asked_for() -> None:
    given = dict(noticed([(b"ETag", OURS_AT_ORIGIN)], EDITION))
    asked = asking_for_page([(b"If-None-Match", given[b"ETag"])], EDITION)
    assert asked == [(b"If-None-Match", OURS_AT_ORIGIN), IDENTITY]
    assert asking_for_page([(b"If-None-Match", given[b"ETag"])], b"of-tomorrow") == [IDENTITY]


@pytest.mark.parametrize(
    ("said", "dismissible", "added"),
    [
        ((), True, b"Accept, Sec-Fetch-Dest, X-Requested-With, Cookie"),
        ((), False, b"Accept, Sec-Fetch-Dest, X-Requested-With"),
        ((b"Accept-Encoding",), False, b"Accept, Sec-Fetch-Dest, X-Requested-With"),
        ((b"accept-encoding, COOKIE", b"accept"), True, b"Sec-Fetch-Dest, X-Requested-With"),
        ((b"Accept, Sec-Fetch-Dest, X-Requested-With",), False, None),
        ((b"*",), True, None),
    ],
)
def test_a_page_says_what_it_depends_on(said: tuple[bytes, ...], dismissible: bool, added: bytes | None) -> None:
    headers = [(b"Vary", value) for value in said]
    assert varying(headers, dismissible=dismissible) == (() if added is None else ((b"Vary", added),))
