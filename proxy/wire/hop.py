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

_NAMING_NO_FIELD = frozenset({b"close", b"keep-alive"})
"""What Connection says nearly always: something of the connection itself."""

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

_WRITTEN_HERE = frozenset({b"forwarded", b"expect"})
"""Fields of a request that Sunset writes or answers itself."""

_MANY_TIMES = frozenset({b"link", b"set-cookie", b"vary", b"via"})
"""Fields of which one more does not replace those that are there."""


def end_to_end(headers: Sequence[Header]) -> list[Header]:
    """The fields that go on to the next hop, in their order, repeated ones and all."""
    names = [name.lower() for name, _ in headers]
    dropped = _between_neighbours(headers, names)
    return [header for header, name in zip(headers, names, strict=True) if name not in dropped]


def claims(names: Sequence[bytes]) -> frozenset[bytes]:
    """Those fields of a request, by names in lower case, that say what only Sunset tells the origin."""
    together = b"\n".join(names)
    if b"_" not in together and b"x-forwarded-" not in together:
        return _WRITTEN_HERE
    return _WRITTEN_HERE.union(name for name in names if b"_" in name or name.startswith(b"x-forwarded-"))


def to_origin(headers: Sequence[Header], host: bytes, asked_by: Iterable[Header], *, version: bytes) -> list[Header]:
    """The fields of a request to the origin.

    `host` is what Host shall be, `version` the protocol version that the client speaks (`b"1.1"`). What clients claim
    of themselves in Forwarded and X-Forwarded-* is overwritten by `asked_by`, which `forwarded` makes.
    """
    names = [name.lower() for name, _ in headers]
    dropped = _between_neighbours(headers, names) | claims(names)
    fields = [
        (header[0], host) if name == b"host" else header
        for header, name in zip(headers, names, strict=True)
        if name not in dropped
    ]
    return [*fields, via(version), *asked_by]


def to_client(headers: Sequence[Header], ours: Iterable[Header], *, version: bytes) -> list[Header]:
    """The fields of the origin's answer with `ours` behind them, which replace those of the same name.

    `version` is the protocol version that the origin speaks.
    """
    added = list(ours)
    replaced = {name.lower() for name, _ in added} - _MANY_TIMES
    names = [name.lower() for name, _ in headers]
    dropped = _between_neighbours(headers, names) | replaced
    fields = [header for header, name in zip(headers, names, strict=True) if name not in dropped]
    return [*fields, via(version), *added]


def _between_neighbours(headers: Sequence[Header], names: Sequence[bytes]) -> frozenset[bytes]:
    """The fields that end here; `names` are those of `headers` in lower case."""
    if b"connection" not in names:
        return _HOP_BY_HOP
    said = b",".join([value for (_, value), name in zip(headers, names, strict=True) if name == b"connection"]).lower()
    if said in _NAMING_NO_FIELD:
        return _HOP_BY_HOP
    return _HOP_BY_HOP | ({option.strip() for option in said.split(b",")} - _FOR_BOTH_ENDS)


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
