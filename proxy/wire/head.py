"""The head of a message as bytes: start line and header fields (RFC 9112 sections 3 to 5).

Names and values are relayed as they were received, so nothing here encodes or folds. They are known to be clean: no
field is read, of a client or of an origin, in which a control character could end a line.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Header = tuple[bytes, bytes]

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus} | {
    413: b"Content Too Large",  # as RFC 9110 names them; the standard library is of another age
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}


def request_head(method: bytes, target: bytes, headers: Iterable[Header]) -> bytes:
    """The head of an HTTP/1.1 request, with the empty line that ends it."""
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, field_lines(headers))


def response_head(status: int, headers: Iterable[Header], reason: bytes | None = None) -> bytes:
    """The head of an HTTP/1.1 response, with the empty line that ends it."""
    phrase = _PHRASES.get(status, b"") if reason is None else reason
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, phrase, field_lines(headers))


def values_of(field: bytes, headers: Iterable[Header]) -> list[bytes]:
    """The values of all lines of a field, which is named in lower case."""
    length = len(field)
    # Nearly all other names are of another length, which is told in a third of the time.
    return [value for name, value in headers if len(name) == length and name.lower() == field]


def field_lines(headers: Iterable[Header]) -> bytes:
    """Fields as lines, each with its end."""
    return b"\r\n".join([*map(b": ".join, headers), b""])
