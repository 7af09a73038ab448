"""The PROXY protocol, versions 1 and 2: what a load balancer says of a client before the client's own bytes.

A header is read in one way or refused; nothing is guessed, and what is refused ends the connection. It is fed as it
arrives: as long as what is there can still become a header, and is none yet, nothing is said. The formats are those of
"The PROXY protocol", sections 2.1, 2.2 and 2.2.4 to 2.2.7, as HAProxy publishes it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from proxy.wire.forwarded import plain_address

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE_1: Final = b"PROXY "
_LONGEST_1: Final = 107
"""With its CR LF, as the specification counts."""
_UNKNOWN_1: Final = b"PROXY UNKNOWN"
_LINE = re.compile(rb"PROXY TCP([46]) ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39}) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})")

_SIGNATURE_2: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED_2 = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED, _TCP4, _TCP6, _UNIX_STREAM = 0x00, 0x11, 0x21, 0x31
_ADDRESSES = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX_STREAM: 216}
"""How many bytes the addresses of a family have."""
_CRC32C, _TLS = 0x03, 0x20
_CLIENT_SPOKE_TLS = 0x01


class ProxyProtocolError(ValueError):
    """Bytes that are no header of the PROXY protocol, and will not become one."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What was said of a client.

    `peer` is its address, that of IPv4 as such even where it was told as IPv6; empty where none was told, and the
    connection's own holds. `secure` is true where it spoke TLS with whoever tells. `length` is where the client's own
    bytes begin.
    """

    peer: str
    secure: bool
    length: int


def read_introduction(data: bytes, longest: int) -> Introduction | None:
    """The header that `data` begins with, or `None` if it has not all arrived.

    `longest` is how many bytes a header of version 2 may have. Raises `ProxyProtocolError`.
    """
    if data.startswith(_SIGNATURE_2[: len(data)]):
        return _read_binary(data, longest)
    if data.startswith(_SIGNATURE_1[: len(data)]):
        return _read_line(data)
    raise ProxyProtocolError("no header")


def _read_line(data: bytes) -> Introduction | None:
    end = data.find(b"\r\n", 0, _LONGEST_1)
    if end < 0:
        if len(data) >= _LONGEST_1:
            raise ProxyProtocolError("a line that does not end")
        return None
    line = data[:end]
    if line == _UNKNOWN_1 or line.startswith(_UNKNOWN_1 + b" "):  # what follows is to be ignored
        return Introduction("", secure=False, length=end + 2)
    match = _LINE.fullmatch(line)
    if match is None or int(match[4]) > 0xFFFF or int(match[5]) > 0xFFFF:
        raise ProxyProtocolError("a line that says nothing")
    kind = IPv4Address if match[1] == b"4" else IPv6Address
    try:
        peer, _ = kind(match[2].decode()), kind(match[3].decode())
    except ValueError:
        raise ProxyProtocolError("an address that is none") from None
    return Introduction(plain_address(str(peer)), secure=False, length=end + 2)


def _read_binary(data: bytes, longest: int) -> Introduction | None:
    if len(data) < _FIXED_2.size:
        return None
    _, command, family, rest = _FIXED_2.unpack_from(data)
    length = _FIXED_2.size + rest
    if command not in {_LOCAL, _PROXY}:
        raise ProxyProtocolError("an unknown version or command")
    if length > longest:
        raise ProxyProtocolError("a header that is too long")
    addresses = _ADDRESSES.get(family)
    if command == _PROXY and (addresses is None or addresses > rest):
        raise ProxyProtocolError("addresses of an unknown kind, or cut off")
    if len(data) < length:
        return None
    if command == _LOCAL or addresses is None:  # the balancer speaks for itself: a check of health
        return Introduction("", secure=False, length=length)
    start = _FIXED_2.size
    secure = False
    for kind, at, size in _extensions(data, start + addresses, length):
        if kind == _CRC32C:
            _check(data[:length], at, size)
        elif kind == _TLS:
            secure = size > 0 and bool(data[at] & _CLIENT_SPOKE_TLS)
    peer = ""
    if family == _TCP4:
        peer = str(IPv4Address(data[start : start + 4]))
    elif family == _TCP6:
        peer = plain_address(str(IPv6Address(data[start : start + 16])))
    return Introduction(peer, secure=secure, length=length)


def _extensions(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, place and size of every extension (TLV) that stands behind the addresses."""
    while at < end:
        if at + 3 > end:
            raise ProxyProtocolError("an extension that is cut off")
        kind, size = struct.unpack_from("!BH", data, at)
        at += 3
        if at + size > end:
            raise ProxyProtocolError("an extension that is cut off")
        yield kind, at, size
        at += size


def _check(header: bytes, at: int, size: int) -> None:
    """Hold the header against its checksum, which counts its own four bytes as zeros."""
    if size != 4:
        raise ProxyProtocolError("a checksum that is none")
    (said,) = struct.unpack_from("!I", header, at)
    if crc32c(header[:at] + bytes(4) + header[at + 4 :]) != said:
        raise ProxyProtocolError("a checksum that does not hold")


def crc32c(data: bytes) -> int:
    """The CRC of Castagnoli's polynomial (RFC 9260 appendix A), which no part of the standard library has."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _entry(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (0x82F63B78 if index & 1 else 0)
    return index


_TABLE: Final = tuple(map(_entry, range(256)))
