"""The request head that most clients send, told from all others (RFC 9112 sections 2 to 6).

What it accepts can be read in one way only: GET or HEAD, HTTP/1.1, an origin-form target, every field on a line of its
own that ends in CR LF, exactly one Host of letters, digits, dots and hyphens, no body, no wish but to close or to keep
the connection. It judges nothing else: a head that it does not accept may be good or bad, and is for the full path,
which reads it anew from its first byte.

Fields are left out by name where the full path does more with them than to pass them on, or refuses them: those that
frame a body or change the protocol, those that aiohttp wants but once, and whatever is named like them.
"""

from __future__ import annotations

import re
from typing import Final

_MOST_FIELDS: Final = 100

_TOKEN_BYTE = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_VALUE = rb"[\t\x20-\x7e\x80-\xff]*+\r\n"


def _any_case(text: bytes) -> bytes:
    """What matches `text` in upper and lower case. To fold the whole expression would double its time."""
    return re.sub(rb"[a-z]", lambda letter: b"[%b%b]" % (letter[0].upper(), letter[0]), text)


_NOT_PLAIN: Final = {
    b"c": (b"onnection:", b"ontent-"),
    b"e": (b"tag:", b"xpect:"),
    b"h": (b"ost:",),
    b"m": (b"ax-forwards:",),
    b"p": (b"roxy-connection:",),
    b"s": (b"ec-websocket-", b"erver:"),
    b"t": (b"ransfer-encoding:",),
    b"u": (b"pgrade:", b"ser-agent:"),
}
"""What a field's name must not go on with, by its first letter."""

_OTHER_FIRST = rb"[!#$%&'*+.^_`|~0-9ABDFGI-LNOQRV-Zabdfgi-lnoqrv-z-]"


def _field() -> bytes:
    """A line with a field that means nothing here."""
    named = [_OTHER_FIRST] + [
        _any_case(first) + b"(?!" + b"|".join(map(_any_case, rests)) + b")" for first, rests in _NOT_PLAIN.items()
    ]
    return b"(?:" + b"|".join(named) + b")" + _TOKEN_BYTE + b"*+:" + _VALUE


def _fields() -> bytes:
    """All fields, and the empty line behind them."""
    host = b"(?(2)(?!)|" + _any_case(b"host") + rb": ?([A-Za-z0-9._-]{1,255}+(?::[0-9]{1,5}+)?)\r\n)"
    agent = b"(?(1)(?!)|" + _any_case(b"user-agent:()") + _VALUE + b")"
    options = b"(" + _any_case(b"close") + b")|" + _any_case(b"keep-alive")
    connection = _any_case(b"connection") + b": ?(?:" + options + rb")\r\n"
    # Not `{1,100}+`: until Python 3.11.5 that keeps what its last attempt has only begun to match.
    lines = b"(?>(?:" + b"|".join((_field(), agent, host, connection)) + b"){1,%d})" % _MOST_FIELDS
    return lines + rb"(?(2)\r\n|(?!))"


BEHIND_TARGET: Final = b" HTTP/1.1\r\n"
"""Where a plain target ends. None of its bytes can stand in one."""

PLAIN_FIELDS: Final = re.compile(_fields())
"""Matches the plain fields of a head, to its end. Groups: 2 Host, 3 "close" where the client says so."""
