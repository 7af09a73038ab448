"""What is said of a client by those in front: the PROXY protocol, X-Forwarded-* and Forwarded."""

from __future__ import annotations

from ipaddress import ip_address

from fuzz.cutting import ways
from proxy.wire.fields import FieldLimits, parse_fields
from proxy.wire.forwarded import MAX_HOPS, Kind, Provenance, plain_address, plain_scheme, provenance
from proxy.wire.malformed import MalformedError
from proxy.wire.proxy_protocol import Introduction, ProxyProtocolError, read_introduction

_LONGEST = 300
"""Bytes of a header of version 2; one of version 1 has fewer."""
_LIMITS = FieldLimits(line=8190, lines=128, section=32_768)
_PEER = "192.0.2.1"


def introduction(data: bytes) -> None:
    """A header of the PROXY protocol is read in one way, as soon as it is there, and never waited for without end."""
    said, _ = ways(data)
    whole = _introduced(said)
    if whole is None:
        assert len(said) < _LONGEST
    for length in range(min(len(said), _LONGEST + 1)):
        if (early := _introduced(said[:length])) is not None:
            assert early == whole, "it depends on what comes behind it"
            break
    if isinstance(whole, Introduction):
        assert 0 < whole.length <= len(said)
        assert _introduced(said[: whole.length]) == whole
        assert _introduced(said[: whole.length - 1]) is None
        assert not whole.peer or str(ip_address(whole.peer)) == whole.peer


def forwarded(data: bytes) -> None:
    """Fields of proxies name addresses and nothing else, and what is passed on of them is read the same again."""
    for lines in (data + b"\r\n", b"X-Forwarded-For: " + data + b"\r\n", b"Forwarded: " + data + b"\r\n"):
        try:
            headers = parse_fields(lines, _LIMITS)
        except MalformedError:
            continue
        for secure in (True, False):
            told = [
                provenance(_PEER, headers, secure=secure, kind=kind, is_trusted=_is_trusted)
                for kind in (Kind.X_FORWARDED, Kind.FORWARDED)
            ]
            for each in told:
                _check(each)
            at_a_look = plain_scheme(lines, secure=secure)
            assert at_a_look in {None, told[0].secure}
            chain = b", ".join([hop.element for hop in told[1].hops])
            again = provenance(
                _PEER, [(b"Forwarded", chain)], secure=secure, kind=Kind.FORWARDED, is_trusted=_is_trusted
            )
            assert again == told[1]


def _introduced(said: bytes) -> Introduction | str | None:
    """What is read; the fault as text where it is none."""
    try:
        return read_introduction(said, _LONGEST)
    except ProxyProtocolError as error:
        return str(error)


def _check(told: Provenance) -> None:
    """All addresses are some, and those who were passed over on the way to the client are trusted."""
    assert len(told.hops) <= MAX_HOPS
    addresses = [hop.address for hop in told.hops]
    for address in filter(None, (told.client, *addresses)):
        assert plain_address(str(ip_address(address))) == address
    for address in reversed(addresses):
        if address in {"", told.client}:
            break
        assert _is_trusted(address)
    else:
        assert told.client == _PEER


def _is_trusted(address: str) -> bool:
    return address.startswith("10.")
