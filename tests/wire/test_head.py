"""Heads as bytes."""

import pytest

from proxy.wire.head import field_lines, request_head, response_head


def test_a_request_head() -> None:
    head = request_head(b"GET", b"/a/../b?x", [(b"Host", b"po.co"), (b"X", b"caf\xe9")])
    assert head == b"GET /a/../b?x HTTP/1.1\r\nHost: po.co\r\nX: caf\xe9\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (301, None, b"HTTP/1.1 301 Moved Permanently"),
        (414, None, b"HTTP/1.1 414 URI Too Long"),
        (200, b"Fine", b"HTTP/1.1 200 Fine"),
        (200, b"", b"HTTP/1.1 200 "),
        (599, None, b"HTTP/1.1 599 "),
    ],
)
def test_a_response_head(status: int, reason: bytes | None, line: bytes) -> None:
    assert response_head(status, [(b"A", b"1")], reason) == line + b"\r\nA: 1\r\n\r\n"


def test_fields_as_lines() -> None:
    assert field_lines([(b"A", b"1"), (b"a", b""), (b"A", b"caf\xe9")]) == b"A: 1\r\na: \r\nA: caf\xe9\r\n"
    assert field_lines([]) == b""
