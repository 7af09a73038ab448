"""Headers of the PROXY protocol: whole, byte by byte and with a tail; and what is no header."""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.proxy_protocol import Introduction, ProxyProtocolError, crc32c, read_introduction

LONGEST = 536
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
TAILS = (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"PROXY UNKNOWN\r\n", SIGNATURE)
V4 = bytes([203, 0, 113, 7, 10, 0, 0, 1]) + struct.pack("!HH", 50000, 443)
V6 = ip_address("2001:db8::7").packed + ip_address("::1").packed + struct.pack("!HH", 50000, 443)


def binary(command: int, family: int, rest: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(rest)) + rest


def extension(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def checked(rest: bytes) -> bytes:
    """A header with the checksum that belongs to it behind all else."""
    header = binary(0x21, 0x11, rest + extension(3, bytes(4)))
    return header[:-4] + struct.pack("!I", crc32c(header))


HEADERS: dict[str, tuple[bytes, str, bool]] = {
    "line, IPv4": (b"PROXY TCP4 203.0.113.7 10.0.0.1 50000 443\r\n", "203.0.113.7", False),
    "line, IPv6": (b"PROXY TCP6 2001:DB8::7 ::1 0 65535\r\n", "2001:db8::7", False),
    "line, IPv4 of a socket for both": (b"PROXY TCP6 ::ffff:203.0.113.7 ::1 1 443\r\n", "203.0.113.7", False),
    "line, longest": (
        b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n",
        ":".join(["ffff"] * 8),
        False,
    ),
    "line, unknown": (b"PROXY UNKNOWN\r\n", "", False),
    "line, unknown with more": (b"PROXY UNKNOWN ffff::1 what ever\n\r 1\r\n", "", False),
    "line, unknown and longest": (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", "", False),
    "binary, IPv4": (binary(0x21, 0x11, V4), "203.0.113.7", False),
    "binary, IPv6": (binary(0x21, 0x21, V6), "2001:db8::7", False),
    "binary, IPv4 of a socket for both": (
        binary(0x21, 0x21, ip_address("::ffff:203.0.113.7").packed + V6[16:]),
        "203.0.113.7",
        False,
    ),
    "binary, socket of the machine": (binary(0x21, 0x31, b"/run/x".ljust(216, b"\0")), "", False),
    "binary, unspecified": (binary(0x21, 0x00, b""), "", False),
    "binary, unspecified with extensions": (binary(0x21, 0x00, extension(4, b"")), "", False),
    "binary, the balancer itself": (binary(0x20, 0x00, b""), "", False),
    "binary, the balancer itself, with addresses": (binary(0x20, 0x11, V4), "", False),
    "binary, the balancer itself, with anything": (binary(0x20, 0xFF, b"\xff" * 20), "", False),
    "binary, extensions": (
        binary(0x21, 0x11, V4 + extension(1, b"h2") + extension(0xEA, b"x" * 50)),
        "203.0.113.7",
        False,
    ),
    "binary, client spoke TLS": (binary(0x21, 0x11, V4 + extension(0x20, b"\x01\0\0\0\0")), "203.0.113.7", True),
    "binary, client spoke none": (binary(0x21, 0x11, V4 + extension(0x20, b"\x02\0\0\0\0")), "203.0.113.7", False),
    "binary, says nothing of TLS": (binary(0x21, 0x11, V4 + extension(0x20, b"")), "203.0.113.7", False),
    "binary, with a checksum": (checked(V4), "203.0.113.7", False),
    "binary, with a checksum and more": (checked(V4 + extension(2, b"po.co")), "203.0.113.7", False),
    "binary, longest": (binary(0x21, 0x11, V4 + extension(4, bytes(LONGEST - 31))), "203.0.113.7", False),
}


@pytest.mark.parametrize(("header", "peer", "secure"), HEADERS.values(), ids=HEADERS)
def test_a_header_is_read_once_it_is_whole_and_whatever_is_behind_it(header: bytes, peer: str, *, secure: bool) -> None:
    for end in range(len(header)):
        assert read_introduction(header[:end], LONGEST) is None
    for tail in TAILS:
        assert read_introduction(header + tail, LONGEST) == Introduction(peer, secure=secure, length=len(header))


REFUSED: dict[str, bytes] = {
    "HTTP": b"GET / HTTP/1.1\r\n",
    "TLS": b"\x16\x03\x01\x02\x00",
    "an empty line": b"\r\n\r\nGET",
    "lower case": b"proxy TCP4",
    "another protocol": b"PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n",
    "two spaces": b"PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n",
    "a tab": b"PROXY TCP4\t1.2.3.4 1.2.3.4 1 1\r\n",
    "one address": b"PROXY TCP4 1.2.3.4 1 1\r\n",
    "more behind it": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
    "an address of the other family": b"PROXY TCP4 ::1 ::1 1 1\r\n",
    "an address of the other family, too": b"PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
    "a number that is octal to some": b"PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n",
    "a number that is no byte": b"PROXY TCP4 256.2.3.4 1.2.3.4 1 1\r\n",
    "a destination that is none": b"PROXY TCP4 1.2.3.4 1.2.3 1 1\r\n",
    "a zone": b"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n",
    "a port that is none": b"PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n",
    "a port with a zero": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 01\r\n",
    "a signed port": b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n",
    "a line feed alone": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n\r\n",
    "a word that is longer": b"PROXY UNKNOWNS\r\n",
    "a line that does not end": b"PROXY UNKNOWN " + b"x" * 93,
    "a line that ends too late": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "another version": binary(0x11, 0x11, V4),
    "another command": binary(0x22, 0x11, V4),
    "datagrams": binary(0x21, 0x12, V4),
    "another family": binary(0x21, 0x41, V4),
    "addresses that are cut off": binary(0x21, 0x11, V4[:-1]),
    "addresses that are missing": binary(0x21, 0x21, V4),
    "an extension without a size": binary(0x21, 0x11, V4 + b"\x04\x00"),
    "an extension that is cut off": binary(0x21, 0x11, V4 + b"\x04\x00\x02x"),
    "a checksum that does not hold": checked(V4)[:-1] + b"\0",
    "a checksum of another size": binary(0x21, 0x11, V4 + extension(3, b"\0\0")),
    "too long": binary(0x21, 0x11, bytes(LONGEST)),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ProxyProtocolError):
        read_introduction(data, LONGEST)


def test_a_header_that_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(ProxyProtocolError):
        read_introduction(binary(0x20, 0, bytes(0xFFFF))[:16], LONGEST)


@given(st.one_of(st.binary(max_size=64), st.binary(max_size=64).map(lambda data: SIGNATURE + data)))
def test_nothing_else_is_raised_and_no_more_is_taken_than_is_there(data: bytes) -> None:
    try:
        introduction = read_introduction(data, LONGEST)
    except ProxyProtocolError:
        return
    assert introduction is None or introduction.length <= len(data)


@given(
    st.ip_addresses(v=4),
    st.one_of(st.ip_addresses(v=6), st.ip_addresses(v=6, network="::ffff:0:0/96")),
    st.lists(st.tuples(st.integers(4, 31), st.binary(max_size=40)), max_size=5),
)
def test_an_address_is_told_as_it_was_written(
    v4: IPv4Address, v6: IPv6Address, extensions: list[tuple[int, bytes]]
) -> None:
    more = b"".join(extension(kind, value) for kind, value in extensions)
    for address, family in ((v4, 0x11), (v6, 0x21)):
        told = str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)
        header = binary(0x21, family, address.packed * 2 + bytes(4) + more)
        assert read_introduction(header, LONGEST) == Introduction(told, secure=False, length=len(header))
        line = f"PROXY TCP{address.version} {address} {address} 1 2\r\n".encode()
        assert read_introduction(line, LONGEST) == Introduction(told, secure=False, length=len(line))


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E)],
)
def test_the_checksum_is_that_of_the_standards_own_examples(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc  # RFC 3720 appendix B.4, and the check value of the polynomial
