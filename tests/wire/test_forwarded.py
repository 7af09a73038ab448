"""Who asked, as trusted proxies tell it; and what a client can make of that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.forwarded import MAX_BYTES, MAX_HOPS, Kind, Provenance, node, plain_address, plain_scheme, provenance
from proxy.wire.hop import forwarded

PEER = "10.0.0.9"
CLIENT = "203.0.113.7"


def is_trusted(address: str) -> bool:
    return address.startswith(("10.", "fd00:"))


def told(*headers: tuple[bytes, bytes], kind: Kind = Kind.X_FORWARDED, secure: bool = False) -> Provenance:
    return provenance(PEER, headers, secure=secure, kind=kind, is_trusted=is_trusted)


CHAINS: dict[str, tuple[bytes, str, list[str]]] = {
    "nothing": (b"", PEER, []),
    "the client": (b"203.0.113.7", CLIENT, [CLIENT]),
    "IPv6": (b"2001:DB8::7", "2001:db8::7", ["2001:db8::7"]),
    "with a port": (b"203.0.113.7:50000", CLIENT, [CLIENT]),
    "IPv6 with a port": (b"[2001:db8::7]:50000", "2001:db8::7", ["2001:db8::7"]),
    "IPv4 as IPv6": (b"::ffff:203.0.113.7", CLIENT, [CLIENT]),
    "what the client claims": (b"192.0.2.1, 203.0.113.7", CLIENT, ["192.0.2.1", CLIENT]),
    "that it is one of ours": (b"10.0.0.1, 203.0.113.7", CLIENT, ["10.0.0.1", CLIENT]),
    "by way of two": (b"192.0.2.1, 203.0.113.7, 10.0.0.1", CLIENT, ["192.0.2.1", CLIENT, "10.0.0.1"]),
    "one of ours itself": (b"10.0.0.1, 10.0.0.2", "10.0.0.1", ["10.0.0.1", "10.0.0.2"]),
    "without spaces, with empty members": (b",203.0.113.7,,\t10.0.0.1 ,", CLIENT, [CLIENT, "10.0.0.1"]),
    "unknown": (b"192.0.2.1, unknown, 10.0.0.1", "10.0.0.1", ["192.0.2.1", "", "10.0.0.1"]),
    "a pseudonym": (b"_gazonk", PEER, [""]),
    "no address": (b"203.0.113.7, evil, 10.0.0.1", "10.0.0.1", ["10.0.0.1"]),
    "an octal number": (b"010.0.0.1", PEER, []),
    "a name": (b"localhost", PEER, []),
    "a zone": (b"fe80::1%eth0", PEER, []),
    "a port alone": (b":80", PEER, []),
    "injected fields": (b"203.0.113.7\\r\\nX: y", PEER, []),
    "bytes": (b"\xff\x00", PEER, []),
}


@pytest.mark.parametrize(("value", "client", "hops"), CHAINS.values(), ids=CHAINS)
def test_the_client_is_the_first_from_the_right_that_is_not_trusted(value: bytes, client: str, hops: list[str]) -> None:
    said = told((b"X-Forwarded-For", value))
    assert (said.client, [hop.address for hop in said.hops]) == (client, hops)


ELEMENTS: dict[str, tuple[bytes, str, list[bytes], bool]] = {
    "the client": (b"for=203.0.113.7", CLIENT, [b"for=203.0.113.7"], False),
    "names in any case": (b"FOR=203.0.113.7;Proto=HTTPS", CLIENT, [b"FOR=203.0.113.7;Proto=HTTPS"], True),
    "IPv6 with a port": (b'for="[2001:DB8::7]:4711"', "2001:db8::7", [b'for="[2001:DB8::7]:4711"'], False),
    "a port in quotes": (b'for="203.0.113.7:80"', CLIENT, [b'for="203.0.113.7:80"'], False),
    "a hidden port": (b'for="203.0.113.7:_x"', CLIENT, [b'for="203.0.113.7:_x"'], False),
    "spaces": (b" for=203.0.113.7 ; proto=https ", CLIENT, [b"for=203.0.113.7 ; proto=https"], True),
    "escaped": (b'for="203.0.\\113.7";host="a\\"b,c"', CLIENT, [b'for="203.0.\\113.7";host="a\\"b,c"'], False),
    "by way of two": (
        b"for=192.0.2.1, for=203.0.113.7;proto=https,for=10.0.0.1;proto=http",
        CLIENT,
        [b"for=192.0.2.1", b"for=203.0.113.7;proto=https", b"for=10.0.0.1;proto=http"],
        True,
    ),
    "empty members": (b", ,for=203.0.113.7;by=x;,", CLIENT, [b"for=203.0.113.7;by=x"], False),
    "empty parameters": (b";for=203.0.113.7; ;by=x;", CLIENT, [b";for=203.0.113.7; ;by=x"], False),
    "no client": (b"by=203.0.113.7;proto=https", PEER, [b"by=203.0.113.7;proto=https"], True),
    "unknown": (b"for=192.0.2.1, for=unknown", PEER, [b"for=192.0.2.1", b"for=unknown"], False),
    "a pseudonym": (b"for=_SEVKISEK;proto=https", PEER, [b"for=_SEVKISEK;proto=https"], True),
    "no address": (b"for=192.0.2.1, for=evil, for=10.0.0.1", "10.0.0.1", [b"for=10.0.0.1"], False),
    "IPv6 without quotes": (b"for=[2001:db8::7]", PEER, [], False),
    "a port without quotes": (b"for=203.0.113.7:80", PEER, [], False),
    "told twice": (b"for=192.0.2.1;For=203.0.113.7", PEER, [], False),
    "an open quote": (b'for="192.0.2.1, for=203.0.113.7', PEER, [], False),
    "an open quote before": (b'for=x";a=", for=203.0.113.7', PEER, [], False),
    "a control character": (b'for=203.0.113.7;host="a\x00"', PEER, [], False),
    "no value": (b"for=", PEER, [], False),
    "no name": (b"=203.0.113.7", PEER, [], False),
    "a space before the value": (b"for= 203.0.113.7", PEER, [], False),
    "a list of the other kind": (b"203.0.113.7", PEER, [], False),
}


@pytest.mark.parametrize(("value", "client", "elements", "secure"), ELEMENTS.values(), ids=ELEMENTS)
def test_forwarded_is_read_strictly(value: bytes, client: str, elements: list[bytes], *, secure: bool) -> None:
    said = told((b"Forwarded", value), kind=Kind.FORWARDED)
    assert (said.client, [hop.element for hop in said.hops], said.secure) == (client, elements, secure)


@pytest.mark.parametrize(
    ("addresses", "schemes", "secure"),
    [
        (b"203.0.113.7", b"https", True),
        (b"203.0.113.7", b"HTTPS", True),
        (b"203.0.113.7", b"wss", True),
        (b"203.0.113.7", b"http", False),
        (b"203.0.113.7", b"ftp", None),
        (b"203.0.113.7", b"https, http", False),  # the client's own word, and the proxy's behind it
        (b"203.0.113.7, 10.0.0.1", b"https, http", True),  # each proxy has added one
        (b"203.0.113.7, 10.0.0.1", b"https", True),  # the last one has kept what the first one said
        (b"192.0.2.1, 203.0.113.7, 10.0.0.1", b"http, https, http", True),
        (b"", b"https", True),
        (b"", b"http, https", True),
        (b"", b"", None),
        (b"203.0.113.7", b"", None),
    ],
)
@pytest.mark.parametrize("spoken", [True, False])
def test_the_scheme_is_the_clients(addresses: bytes, schemes: bytes, secure: bool | None, *, spoken: bool) -> None:
    said = told((b"X-Forwarded-For", addresses), (b"x-forwarded-proto", schemes), secure=spoken)
    assert said.secure is (spoken if secure is None else secure)


@pytest.mark.parametrize(
    ("lines", "secure"),
    [
        (b"", None),
        (b"X-Forwarded-Proto: https\r\n", True),
        (b"A: b\r\nX-FORWARDED-PROTO:HTTP \r\nC: d\r\n", False),
        (b"X-Forwarded-Proto: https, http\r\n", ...),
        (b"X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n", ...),
        (b"X-Forwarded-Proto: wss\r\n", ...),
        (b"X-Forwarded-Proto:\r\n", ...),
        (b"A: X-Forwarded-Proto: https\r\n", ...),
        (b"A-X-Forwarded-Proto: https\r\n", ...),
    ],
)
@pytest.mark.parametrize("spoken", [True, False])
def test_a_scheme_that_is_told_plainly_is_the_one_that_is_read(lines: bytes, secure: object, *, spoken: bool) -> None:
    plain = plain_scheme(lines, secure=spoken)
    if secure is ...:
        assert plain is None
        return
    assert plain is (spoken if secure is None else secure)
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines.splitlines())]
    assert told(*headers, secure=spoken).secure is plain


def test_fields_that_are_repeated_are_one_list() -> None:
    x = told((b"X-Forwarded-For", b"203.0.113.7"), (b"A", b"b"), (b"x-forwarded-for", b"10.0.0.1"))
    assert (x.client, len(x.hops)) == (CLIENT, 2)
    f = told((b"Forwarded", b"for=203.0.113.7"), (b"forwarded", b"for=10.0.0.1"), kind=Kind.FORWARDED)
    assert (f.client, len(f.hops)) == (CLIENT, 2)


def test_the_other_kind_of_field_is_the_clients_and_says_nothing() -> None:
    fields = ((b"Forwarded", b"for=192.0.2.1;proto=https"), (b"X-Forwarded-For", b"203.0.113.7"))
    assert told(*fields).client == CLIENT
    assert told(*fields, kind=Kind.FORWARDED).client == "192.0.2.1"
    assert told((b"X-Forwarded-Proto", b"https"), (b"X-Forwarded-Host", b"evil.example"), kind=Kind.FORWARDED) == (
        PEER,
        False,
        (),
    )


def test_a_chain_is_bounded_and_its_nearest_end_is_kept() -> None:
    claims = [f"192.0.2.{number % 256}" for number in range(5000)]
    addresses = ", ".join([*claims, CLIENT, "10.0.0.1"]).encode()
    said = told((b"X-Forwarded-For", addresses))
    assert (said.client, len(said.hops)) == (CLIENT, MAX_HOPS)
    elements = b", ".join([b"for=192.0.2.1"] * 100 + [b"for=203.0.113.7", b"for=10.0.0.1"])
    said = told((b"Forwarded", elements), kind=Kind.FORWARDED)
    assert (said.client, len(said.hops)) == (CLIENT, MAX_HOPS)
    assert told((b"Forwarded", elements + b" " * MAX_BYTES), kind=Kind.FORWARDED) == (PEER, False, ())


_ALPHABET = st.sampled_from(
    [b"for=", b"proto=", b"https", b"10.0.0.1", b"203.0.113.7", b'"', b"\\", b"[::1]", b",", b";", b" "]
)


@given(st.one_of(st.binary(max_size=200), st.lists(_ALPHABET, max_size=40).map(b"".join)), st.sampled_from(Kind))
def test_whatever_a_client_claims_before_the_word_of_the_proxy_the_client_is_the_same_or_unknown(
    claim: bytes, kind: Kind
) -> None:
    name, ours = (b"Forwarded", b"for=203.0.113.7") if kind is Kind.FORWARDED else (b"X-Forwarded-For", b"203.0.113.7")
    said = told((name, claim), (name, ours), kind=kind)
    assert said.client == CLIENT or (kind is Kind.FORWARDED and said == (PEER, False, ()))
    written = forwarded(PEER, b"po.co", secure=said.secure, before=said.hops)
    assert all(b"\r" not in value and b"\n" not in value and b"\0" not in value for _, value in written)
    again = told(*written, kind=kind)
    kept = said.hops[-MAX_HOPS + 1 :]
    assert [hop.address for hop in again.hops] == [*(hop.address for hop in kept), PEER]


def test_the_chain_goes_on_with_whoever_handed_it_on_behind_it() -> None:
    said = told((b"X-Forwarded-For", b"192.0.2.1, unknown, 2001:db8::7"), (b"X-Forwarded-Proto", b"https"))
    assert forwarded(PEER, b"po.co", secure=said.secure, before=said.hops) == (
        (b"Forwarded", b'for=192.0.2.1, for=unknown, for="[2001:db8::7]", for=10.0.0.9;host=po.co;proto=https'),
        (b"X-Forwarded-For", b"192.0.2.1, unknown, 2001:db8::7, 10.0.0.9"),
        (b"X-Forwarded-Host", b"po.co"),
        (b"X-Forwarded-Proto", b"https"),
    )


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("", ""),
        ("::ffff:0:c000:201", "::ffff:0:c000:201"),
    ],
)
def test_an_ipv4_address_is_written_as_one(address: str, plain: str) -> None:
    assert plain_address(address) == plain
    assert node("fe80::1%eth0") == b'"[fe80::1]"'
