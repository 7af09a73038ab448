"""Where the head of a request ends: whole, byte by byte, and with a tail; and what can never be one."""

import pytest

from proxy.wire.request_head import HeadError, end_of_head, without_blank_lines

LONGEST, LONGEST_TARGET = 200, 60
HEAD = b"GET /a HTTP/1.1\r\nHost: po.co\r\nX: tab\tand \xe9\r\n\r\n"


def end(data: bytes, seen: int = 0) -> int:
    return end_of_head(data, seen, longest=LONGEST, longest_target=LONGEST_TARGET)


def refusal(data: bytes, seen: int = 0) -> tuple[int, str] | None:
    try:
        end(data, seen)
    except HeadError as error:
        return error.status, str(error)
    return None


@pytest.mark.parametrize("tail", [b"", b"\n", b"\x00body", HEAD])
def test_a_head_ends_behind_its_empty_line_whatever_follows(tail: bytes) -> None:
    assert end(HEAD + tail) == len(HEAD)
    for come in range(len(HEAD)):
        assert end(HEAD[:come]) == 0
        assert end(HEAD + tail, seen=come) == len(HEAD)


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a\nHost: po.co\r\n\r\n",
        b"\nGET /a HTTP/1.1\r\nHost: po.co\r\n\r\n",
        b"\rGET /a HTTP/1.1\r\nHost: po.co\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: po.co\nX: y\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: po.co\rX: y\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: po.co\r\nX: \x00\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: po.co\r\n\x7f: y\r\n\r\n",
    ],
)
def test_what_can_never_be_a_head_is_told_alike_however_it_comes(data: bytes) -> None:
    assert refusal(data) == (400, "malformed request")
    told = [refusal(data[:come], seen=max(come - 1, 0)) for come in range(len(data) + 1)]
    assert next(one for one in told if one is not None) == (400, "malformed request")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * LONGEST_TARGET, 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * LONGEST, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * LONGEST + b"\r\n\r\n", 431),
    ],
)
def test_nobody_waits_for_more_than_is_taken(data: bytes, status: int) -> None:
    told = refusal(data)
    assert told is not None
    assert told[0] == status


def test_empty_lines_in_front_are_passed_over() -> None:
    assert without_blank_lines(b"\r\n\r\n" + HEAD) == HEAD
    assert without_blank_lines(HEAD) == HEAD
