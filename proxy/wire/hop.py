"""What a proxy takes out of a message and what it adds (RFC 9110 sections 7.6.1 and 7.6.3, RFC 7239).

A field is between two neighbours if it is known to be so, or if `Connection` names it; but nobody can talk Sunset out
of a field that both ends rely on. Towards the origin, names with an underscore are dropped as well: many a server turns
`-` into `_`, and would take `X_Forwarded_For` for the field that Sunset itself writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.wire.forwarded import node

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.wire.forwarded import Hop
    from proxy.wire.head import Header

PSEUDONYM = b"sunset"
"""How Sunset names itself in Via."""

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

_NAMING_NO_FIELD = frozenset({b"", b",close", b",keep-alive"})
"""What all Connection fields of a message say, put together, where it is of the connection itself: nearly always."""

_FOR_BOTH_ENDS = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"host",
        b"location",
        b"set-cookie",
        b"vary",
        b"via",
    }
)
"""Fields that stay, whoever names them in Connection."""

_NOT_TO_ORIGIN = _HOP_BY_HOP | {b"forwarded", b"expect"}
"""Beside what is between neighbours: fields of a request that Sunset writes or answers itself."""

_MANY_TIMES = frozenset({b"link", b"set-cookie", b"vary", b"via"})
"""Fields of which one more does not replace those that are there."""


def end_to_end(headers: Iterable[Header]) -> list[Header]:
    """The fields that go on to the next hop, in their order, repeated ones and all."""
    return _without(_HOP_BY_HOP, headers)


def without_claims(headers: list[Header]) -> list[Header]:
    """The fields of a request without those that say what only Sunset tells the origin."""
    names = b"\n".join([name for name, _ in headers]).lower()
    if b"_" not in names and b"x-forwarded-" not in names:
        return headers
    return [header for header in headers if b"_" not in header[0] and not header[0].lower().startswith(b"x-forwarded-")]


def to_origin(headers: Iterable[Header], host: bytes, asked_by: Iterable[Header], *, version: bytes) -> list[Header]:
    """The fields of a request to the origin.

    `host` is what Host shall be, `version` the protocol version that the client speaks (`b"1.1"`). What clients claim
    of themselves in Forwarded and X-Forwarded-* is overwritten by `asked_by`, which `forwarded` makes.
    """
    fields = [
        (header[0], host) if len(header[0]) == len(b"host") and header[0].lower() == b"host" else header
        for header in without_claims(_without(_NOT_TO_ORIGIN, headers))
    ]
    return [*fields, via(version), *asked_by]


def to_client(headers: Iterable[Header], ours: Sequence[Header], *, version: bytes) -> list[Header]:
    """The fields of the origin's answer with `ours` behind them, which replace those of the same name.

    `version` is the protocol version that the origin speaks.
    """
    replaced = [lowered for name, _ in ours if (lowered := name.lower()) not in _MANY_TIMES]
    return [*_without(_HOP_BY_HOP.union(replaced), headers), via(version), *ours]


def _without(dropped: frozenset[bytes], headers: Iterable[Header]) -> list[Header]:
    """The fields but for those, which `Connection` is one of, and for what Connection names."""
    fields: list[Header] = []
    said = b""
    for header in headers:
        name = header[0].lower()
        if name not in dropped:
            fields.append(header)
        elif name == b"connection":
            said += b"," + header[1].lower()
    if said in _NAMING_NO_FIELD:
        return fields
    named = {option.strip() for option in said.split(b",")} - _FOR_BOTH_ENDS
    return [header for header in fields if header[0].lower() not in named]


def via(version: bytes) -> Header:
    """The Via field that names Sunset behind a neighbour that speaks `version`."""
    return (b"Via", b"%b %b" % (version, PSEUDONYM))


def forwarded(peer: str, host: bytes, *, secure: bool, before: Sequence[Hop] = ()) -> tuple[Header, ...]:
    """Who asked, for which host, by which scheme: as RFC 7239 writes it, and as most origins read it.

    `peer` is the IP address that the request came from, empty where there is none, and `before` are those who are to be
    believed to have handed it on there; `secure` is what the client spoke. `host` may have a port.
    """
    quoted = b'"%b"' % host if b":" in host else host
    scheme = b"https" if secure else b"http"
    last = b"for=%b;host=%b;proto=%b" % (node(peer), quoted, scheme)
    addresses = [*(hop.address for hop in before), peer.partition("%")[0]]
    return (
        (b"Forwarded", b", ".join([*(hop.element for hop in before), last])),
        (b"X-Forwarded-For", ", ".join(address or "unknown" for address in addresses).encode()),
        (b"X-Forwarded-Host", host),
        (b"X-Forwarded-Proto", scheme),
    )
