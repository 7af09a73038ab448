"""Heads as bytes."""

import pytest

from proxy.wire.head import has_controls, request_head, response_head


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


@pytest.mark.parametrize("control", [b"\r", b"\n", b"\0", b"\x0b", b"\x7f"])
def test_control_characters_are_found_wherever_they_stand(control: bytes) -> None:
    assert has_controls([(b"A", b"x" + control)])
    assert has_controls([(b"A" + control, b"x")])
    assert has_controls([], b"OK" + control)


def test_tabs_and_bytes_outside_ascii_are_no_controls() -> None:
    assert not has_controls([(b"A", b"a\tb \xe9")], b"\xc3\xa9")
