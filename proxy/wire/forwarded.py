"""Who asked, as proxies in front of this one tell it: Forwarded (RFC 7239) and the older X-Forwarded-* fields.

Each proxy adds the address that it was asked from behind those that it was told. What stands furthest right was thus
written by the nearest one, and as long as an address is one of a proxy that is trusted, what stands left of it is to be
believed as well. The first one that is not is the client's; all that is left of it are the client's own words.

Of the two kinds of fields only the one is read that the trusted proxies are known to write. Most proxies let the other
kind pass, and then it is the client's. A field that cannot be read in one way says nothing, from there on to the left.
"""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.wire.head import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.wire.head import Header

MAX_HOPS: Final = 32
"""No request comes by way of more proxies; of a longer chain the nearest are kept."""
MAX_BYTES: Final = 8192
"""A Forwarded that is longer says nothing."""

_PORT = rb"(?::(?:[0-9]{1,5}|_[0-9A-Za-z._-]{1,64}))?"
_NODE = re.compile(rb"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15}))" + _PORT)
_IPV6 = re.compile(rb"[0-9A-Fa-f:.]{2,45}")  # as X-Forwarded-For has it, without brackets
_NAMELESS = re.compile(rb"(?:unknown|_[0-9A-Za-z._-]{1,64})" + _PORT, re.IGNORECASE)
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e\x80-\xff])*)"'
_PAIR = re.compile(rb"(%b)=(?:(%b)|%b)[ \t]*" % (_TOKEN, _TOKEN, _QUOTED))
_SPACE = re.compile(rb"[ \t]*")
_ESCAPED = re.compile(rb"\\(.)")
_SCHEMES: Final = {b"https": True, b"wss": True, b"http": False, b"ws": False}


_PLAIN_PROTO = re.compile(rb"(?:\A|\n)x-forwarded-proto:[ \t]*http(s?)[ \t]*\r", re.IGNORECASE)


class Kind(StrEnum):
    """The fields that a proxy writes."""

    X_FORWARDED = "x-forwarded"
    """X-Forwarded-For and X-Forwarded-Proto."""
    FORWARDED = "forwarded"
    """Forwarded, as RFC 7239 has it."""


class Hop(NamedTuple):
    """One who handed a request on, or made it.

    `address` is empty where it was not told or is a pseudonym; `element` is what Forwarded says of it; `secure` is
    whether it spoke TLS with the next one, or `None` where that was not told.
    """

    address: str
    element: bytes
    secure: bool | None = None


class Provenance(NamedTuple):
    """Where a request comes from: the client's address, whether it spoke TLS, and who is said to have handed it on.

    The hops are in the order in which they handed it on, the client among them, and whatever a client claims before.
    """

    client: str
    secure: bool
    hops: tuple[Hop, ...] = ()


def provenance(
    peer: str, headers: Iterable[Header], *, secure: bool, kind: Kind, is_trusted: Callable[[str], bool]
) -> Provenance:
    """Where a request comes from that `peer`, which is trusted, has handed on.

    `secure` is whether it came from the peer over TLS; it holds where nothing is told of the client's own connection.
    """
    hops, said = _from_forwarded(headers) if kind is Kind.FORWARDED else _from_x_forwarded(headers)
    client = peer
    for hop in reversed(hops):
        said = hop.secure
        client = hop.address or client
        if not hop.address or not is_trusted(hop.address):
            break
    return Provenance(client, secure if said is None else said, tuple(hops))


def plain_scheme(fields: bytes, *, secure: bool) -> bool | None:
    """Whether the client spoke TLS, by the lines of a head from a proxy that is trusted to write X-Forwarded-Proto.

    It is what `provenance` says as well, and `None` where that takes more than a look: a list, another word.
    """
    times = fields.lower().count(b"x-forwarded-proto")
    if not times:
        return secure
    match = _PLAIN_PROTO.search(fields) if times == 1 else None
    return None if match is None else match[1] != b""


def _from_x_forwarded(headers: Iterable[Header]) -> tuple[list[Hop], bool | None]:
    """The hops, and what the nearest one says of the scheme."""
    schemes = [_SCHEMES.get(scheme.lower()) for scheme in _listed(headers, b"x-forwarded-proto")]
    addresses = _listed(headers, b"x-forwarded-for")
    hops: list[Hop] = []
    for behind, text in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
        address = _address(text)
        if address is None:
            hops.clear()
            continue
        # Some proxies add a scheme as they add an address, others overwrite it: then the one that is there is for all.
        scheme = schemes[max(0, len(schemes) - 1 - behind)] if schemes else None
        hops.append(Hop(address, b"for=" + node(address), scheme))
    return hops, schemes[-1] if schemes else None


def _from_forwarded(headers: Iterable[Header]) -> tuple[list[Hop], bool | None]:
    value = b",".join(values_of(b"forwarded", headers))
    hops: list[Hop] = []
    if len(value) > MAX_BYTES:
        return hops, None
    at = -1
    while at < len(value):
        start = _after_space(value, at + 1)
        at, pairs = _element(value, start)
        if pairs is None or value[at : at + 1] not in {b"", b","}:
            return [], None
        if not pairs:
            continue
        address = _address(pairs.get(b"for", b"unknown"))
        if address is None:
            hops.clear()
            continue
        hops.append(Hop(address, value[start:at].rstrip(b" \t;"), _SCHEMES.get(pairs.get(b"proto", b"").lower())))
    return hops[-MAX_HOPS:], None


def _element(value: bytes, at: int) -> tuple[int, dict[bytes, bytes] | None]:
    """The parameters of the element that begins there, and where it ends; `None` where one is given twice."""
    pairs: dict[bytes, bytes] = {}
    while True:
        if match := _PAIR.match(value, at):
            name, token, quoted = match.groups()
            if name.lower() in pairs:
                return at, None
            pairs[name.lower()] = _ESCAPED.sub(rb"\1", quoted) if token is None else token
            at = match.end()
        if value[at : at + 1] != b";":
            return at, pairs
        at = _after_space(value, at + 1)


def _after_space(value: bytes, at: int) -> int:
    space = _SPACE.match(value, at)
    return at if space is None else space.end()


def _listed(headers: Iterable[Header], name: bytes) -> list[bytes]:
    """The last members of a list that may stand in several fields."""
    value = b",".join(value for each, value in headers if each.lower() == name)
    members = value.rsplit(b",", MAX_HOPS)[-MAX_HOPS:]
    return [stripped for member in members if (stripped := member.strip(b" \t"))]


def _address(text: bytes) -> str | None:
    """The address of a node, empty for a pseudonym; `None` for what is no node."""
    if match := _NODE.fullmatch(text):
        text = match[1] or match[2]
    elif _NAMELESS.fullmatch(text):
        return ""
    elif not _IPV6.fullmatch(text):
        return None
    try:
        return plain_address(str(ip_address(text.decode())))
    except ValueError:
        return None


def node(address: str) -> bytes:
    """An address as Forwarded writes it; empty is unknown."""
    plain = address.partition("%")[0].encode() or b"unknown"
    return b'"[%b]"' % plain if b":" in plain else plain


def plain_address(address: str) -> str:
    """An address without the disguise that a socket for both families gives to IPv4 (`::ffff:192.0.2.1`)."""
    if not address.startswith("::ffff:"):
        return address
    mapped = IPv6Address(address).ipv4_mapped
    return address if mapped is None else str(mapped)
