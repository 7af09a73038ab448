"""A decision as HTTP: its status and header fields (RFC 9110 section 15, RFC 8288 for links).

The server sends just these and `explain` prints just these. Fields that frame a message (Content-Length, Connection,
Date) are the server's own business and are not among them, but for a `BadRequest`, after which a connection ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from proxy.core.decision import (
    BadRequest,
    Cause,
    Decision,
    Forward,
    Gone,
    Local,
    Misdirected,
    NotFound,
    Redirect,
    Resource,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Header = tuple[bytes, bytes]

_ALLOW: Header = (b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
_NO_STORE: Header = (b"Cache-Control", b"no-store")
_UNSAFE_IN_LINK = re.compile(rb'[<>"]')


def status_of(decision: Decision) -> int | None:
    """The status that Sunset answers with; `None` where the origin's own goes through."""
    match decision:
        case Redirect(status=status) | BadRequest(status=status):
            return status
        case Forward():
            return None
        case Gone():
            return 410
        case NotFound():
            return 404
        case Misdirected():
            return 421
        case Local(resource=Resource.ACME_CHALLENGE, name=b""):
            return 404
        case Local(resource=Resource.OPTIONS):
            return 204
        case Local(resource=Resource.DISMISS):
            return 303
        case Local():
            return 200
        case _:
            assert_never(decision)


def headers_of(decision: Decision, *, secure: bool) -> tuple[Header, ...]:
    """The header fields of the answer; for `Forward` those that are put behind the origin's own."""
    match decision:
        case Redirect(cause, _, location, _):
            return ((b"Location", location), *_of_cause(cause, secure=secure))
        case Forward(cause, _, successor):
            fields = _of_cause(cause, secure=secure)
            return fields if successor is None else (*fields, (b"Link", link(successor, "successor-version")))
        case Local(resource=Resource.OPTIONS):
            return (_ALLOW,)
        case Gone(cause) | NotFound(cause) | Local(cause):
            return _of_cause(cause, secure=secure)
        case Misdirected():
            return (_NO_STORE,)
        case BadRequest(405, _):
            return (_ALLOW, (b"Connection", b"close"))
        case BadRequest():
            return ((b"Connection", b"close"),)
        case _:
            assert_never(decision)


def link(target: bytes, relation: str) -> bytes:
    """The value of a Link header (RFC 8288 section 3); what would end the target early is percent-escaped."""
    if _UNSAFE_IN_LINK.search(target):
        target = target.replace(b"<", b"%3C").replace(b">", b"%3E").replace(b'"', b"%22")
    return b'<%b>; rel="%b"' % (target, relation.encode())


def as_text(headers: Iterable[Header]) -> dict[str, str]:
    """Header fields for people and programs to read, repeated ones joined (RFC 9110 section 5.3)."""
    text: dict[str, str] = {}
    for name, value in headers:
        key = name.decode("latin-1")
        text[key] = f"{text[key]}, {value.decode('latin-1')}" if key in text else value.decode("latin-1")
    return text


def _of_cause(cause: Cause | None, *, secure: bool) -> tuple[Header, ...]:
    if cause is None:
        return ()
    return cause.secure_headers if secure else cause.headers
