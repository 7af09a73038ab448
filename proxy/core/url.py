"""Hosts and request targets as bytes (RFC 3986, RFC 9110 section 7.1, RFC 9112 sections 3.2 and 3.3).

Two views of a path are kept apart. The *raw* path is what the client sent, and what is sent on. Its *normal form* is
only ever compared: percent-escapes of unreserved characters decoded, all other escapes in upper case, nothing else; no
dot segment is resolved and no slash merged, so both forms have the same segments. Raw bytes outside ASCII are malformed
on the wire; what people write (rule files, `explain`) is percent-escaped first, as every browser does.
"""

from __future__ import annotations

import re

MAX_TARGET_BYTES = 8192
"""The longest request target that is answered; a longer one is 414."""

SLASH = ord("/")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

PLAIN_TARGET = bytes(byte if 0x20 < byte < 0x7F and byte != ord("#") else ord("?") for byte in range(256))
"""A target is plain where `translate` with this leaves it as it is: visible ASCII without a fragment."""

_FORBIDDEN = re.compile(rb"[\x00-\x20\x7f-\xff]")
_OTHER_ESCAPE = re.compile(rb"%(?:[0-9A-Fa-f][a-f]|[a-f][0-9A-F]|2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)")
"""An escape that is not its own normal form: with a digit in lower case, or of an unreserved character."""
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_HOST = re.compile(
    rb"(?P<name>(?=.{1,254}(?::|$))[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?"
    rb"|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{0,5}))?",
)
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_MAX_PORT = 65535


def parse_host(raw: bytes) -> bytes | None:
    """The host of a Host header or authority: lower case, no port, no trailing dot. `None` where it is malformed.

    Strict on purpose: user info, lists, paths, blanks, ports above 65535 and bytes outside ASCII are all malformed.
    """
    match = _HOST.fullmatch(raw)
    if match is None:
        return None
    name, port = match["name"], match["port"]
    if port and int(port) > _MAX_PORT:
        return None
    return name.lower().removesuffix(b".")


def split_absolute(target: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Scheme in lower case, authority, and origin-form target of an absolute-form target; `None` for any other form.

    An empty path is `/` (RFC 9112 section 3.2.2).
    """
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return None
    scheme, authority, rest = match.groups()
    return scheme.lower(), authority, rest if rest.startswith(b"/") else b"/" + rest


def split_fragment(target: bytes) -> bytes:
    """The target without its fragment, which never goes over the wire."""
    return target.partition(b"#")[0]


def split_query(target: bytes) -> tuple[bytes, bytes | None]:
    """Path and query; `None` where there is no `?` at all, which is not the same as an empty query."""
    path, mark, query = target.partition(b"?")
    return path, query if mark else None


def has_forbidden(target: bytes) -> bool:
    """Whether a control, a blank or a byte outside ASCII stands in it: no URI has any (RFC 3986 section 2)."""
    return _FORBIDDEN.search(target) is not None


def normal_form(path: bytes) -> bytes:
    """The form in which paths are compared (a trailing slash is left to the caller)."""
    return _OTHER_ESCAPE.sub(_normal_escape, path)


def escape_non_ascii(raw: bytes) -> bytes:
    """Every byte above 0x7f as a percent-escape, all others as they are."""
    return raw if raw.isascii() else _NON_ASCII.sub(_percent, raw)


def escape_written(text: str) -> bytes:
    """What a human wrote into a rule file, as it goes over the wire: blanks and non-ASCII as UTF-8 percent-escapes."""
    return escape_non_ascii(text.encode()).replace(b" ", b"%20")


def segments(path: bytes) -> list[bytes]:
    """The segments of a path that begins with `/`; a trailing slash leaves an empty last one."""
    return path.split(b"/")[1:]


def rest_after(path: bytes, count: int) -> bytes:
    """What follows the first `count` segments, with its slash; empty where nothing follows."""
    position = 0
    for _ in range(count):
        position = path.find(b"/", position + 1)
        if position < 0:
            return b""
    return path[position:]


def _percent(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]


def _normal_escape(match: re.Match[bytes]) -> bytes:
    byte = int(match[0][1:], 16)
    return bytes((byte,)) if byte in _UNRESERVED else match[0].upper()
