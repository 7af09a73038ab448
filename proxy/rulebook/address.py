"""Addresses as people type, paste and export them, made into what a request for them carries.

Nearly all are plain ASCII and take one regular expression. The rest is done as a browser does it: host names by IDNA
(UTS 46), what is not ASCII in path and query as UTF-8 percent-escapes, no fragment.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import idna

from proxy.core.url import escape_written, parse_host
from proxy.errors import SunsetError

_PLAIN = re.compile(r"(?:(https?)://)?([A-Za-z0-9._-]+)(?::[0-9]{1,5})?([/?][!\"$-~]*)?(?:#[!-~]*)?")
_ANY = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://)?([^/?#]*)([^#]*)(?:#.*)?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 100


class AddressError(SunsetError, ValueError):
    """Something that is not the address of a page."""


class Address(NamedTuple):
    """What a request for an address carries: its host without port, the target in origin form, whether by https."""

    host: bytes
    raw_target: bytes
    secure: bool


def parse_address(text: str) -> Address:
    """The address that a human wrote, with or without scheme (`https` where there is none).

    Raises `AddressError`.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        return _parse_unusual(text.strip())
    scheme, host, target = match.groups()
    if not target:
        target = "/"
    elif target[0] == "?":
        target = "/" + target
    return Address(host.encode(), target.encode(), scheme != "http")


def parse_origin_form(text: str) -> bytes:
    """Path and query that a human wrote, in origin form. Raises `AddressError`."""
    _refuse_unwritable(text)
    target = text.partition("#")[0]
    return escape_written(target if target.startswith("/") else "/" + target)


def _parse_unusual(text: str) -> Address:
    if not text:
        raise AddressError("an address is empty")
    _refuse_unwritable(text)
    if text.startswith("/") and not text.startswith("//"):
        raise AddressError(f'"{_short(text)}" has no host: write the whole address')
    match = _ANY.fullmatch(text)
    scheme, authority, target = match.groups() if match else (None, "", "")
    if scheme is not None and "://" not in text[: len(scheme) + 3]:
        scheme, authority, target = None, *_split_bare(text)
    if scheme is not None and scheme.lower() not in {"http", "https"}:
        raise AddressError(f'"{_short(text)}" is no web address: its scheme is "{scheme}"')
    if "@" in authority:
        raise AddressError(f'"{_short(text)}" names a user; an address of a page does not')
    try:
        host = parse_host(_ascii_host(authority))
    except (idna.IDNAError, UnicodeError):
        host = None
    if host is None:
        raise AddressError(f'"{_short(text)}" has no host that could exist')
    return Address(host, parse_origin_form(target), scheme is None or scheme.lower() == "https")


def _refuse_unwritable(text: str) -> None:
    if _CONTROL.search(text) is not None:
        raise AddressError("a control character cannot stand in an address")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise AddressError("an address is not UTF-8") from None


def _split_bare(text: str) -> tuple[str, str]:
    """Authority and the rest of an address without scheme."""
    end = next((at for at, char in enumerate(text) if char in "/?#"), len(text))
    return text[:end], text[end:].partition("#")[0]


def _ascii_host(authority: str) -> bytes:
    if authority.isascii():
        return authority.encode()
    name, colon, port = authority.partition(":")
    return idna.encode(name, uts46=True, transitional=False) + (colon + port).encode()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
