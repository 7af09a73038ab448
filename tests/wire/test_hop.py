"""What goes on to the next hop, and what does not."""

import pytest

from proxy.wire.hop import end_to_end, forwarded, to_client, to_origin

HOST = (b"Host", b"po.co")
ASKED_BY = forwarded("203.0.113.7", b"po.co", secure=True)


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"Proxy-Authorization",
        b"Proxy-Authenticate",
        b"TE",
        b"Trailer",
        b"Transfer-Encoding",
        b"Upgrade",
        b"upgrade",
        b"HTTP2-Settings",
    ],
)
def test_a_field_between_two_neighbours_ends_here(name: bytes) -> None:
    assert end_to_end([HOST, (name, b"x"), (b"Accept", b"*/*")]) == [HOST, (b"Accept", b"*/*")]


def test_a_field_that_connection_names_ends_here() -> None:
    fields = [(b"X-Secret", b"1"), (b"Connection", b"close, X-Secret"), (b"connection", b"x-other"), (b"X-Other", b"2")]
    assert end_to_end(fields) == []


@pytest.mark.parametrize("name", [b"Host", b"Cookie", b"Authorization", b"Content-Length", b"Set-Cookie", b"Location"])
def test_a_field_that_both_ends_rely_on_stays_whoever_names_it(name: bytes) -> None:
    assert end_to_end([(name, b"x"), (b"Connection", name)]) == [(name, b"x")]


def test_repeated_fields_stay_in_their_order() -> None:
    fields = [(b"A", b"1"), (b"B", b"2"), (b"a", b"3"), (b"A", b"1")]
    assert end_to_end(fields) == fields


def test_values_stay_as_they_are() -> None:
    fields = [(b"X-Latin", b"caf\xe9"), (b"X-Empty", b""), (b"X-Inner", b"a  \t b")]
    assert end_to_end(fields) == fields


@pytest.mark.parametrize(
    "claim",
    [
        (b"X_Forwarded_For", b"10.0.0.1"),
        (b"X-Forwarded-For", b"10.0.0.1"),
        (b"X-Forwarded-Prefix", b"/admin"),
        (b"x-forwarded-proto", b"https"),
        (b"Forwarded", b"for=10.0.0.1"),
        (b"Expect", b"100-continue"),
        (b"Content_Length", b"5"),
    ],
)
def test_what_a_client_claims_does_not_reach_the_origin(claim: tuple[bytes, bytes]) -> None:
    fields = to_origin([HOST, claim], b"po.co", ASKED_BY, version=b"1.1")
    assert claim not in fields
    assert fields == [HOST, (b"Via", b"1.1 sunset"), *ASKED_BY]


def test_the_host_is_replaced_where_it_stood() -> None:
    fields = to_origin([(b"A", b"1"), (b"host", b"po.co.localhost:8080"), (b"B", b"2")], b"po.co", (), version=b"1.0")
    assert fields == [(b"A", b"1"), (b"host", b"po.co"), (b"B", b"2"), (b"Via", b"1.0 sunset")]


@pytest.mark.parametrize(
    ("peer", "host", "written"),
    [
        ("203.0.113.7", b"po.co", b"for=203.0.113.7;host=po.co;proto=http"),
        ("2001:db8::1", b"po.co:8080", b'for="[2001:db8::1]";host="po.co:8080";proto=http'),
        ("fe80::1%eth0", b"po.co", b'for="[fe80::1]";host=po.co;proto=http'),
        ("", b"po.co", b"for=unknown;host=po.co;proto=http"),
    ],
)
def test_who_asked_is_written_as_rfc_7239_has_it(peer: str, host: bytes, written: bytes) -> None:
    assert dict(forwarded(peer, host, secure=False))[b"Forwarded"] == written


def test_our_fields_replace_those_of_the_origin_but_for_lists() -> None:
    theirs = [(b"sunset", b"never"), (b"Link", b"<a>; rel=x"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")]
    ours = [(b"Sunset", b"soon"), (b"Link", b"<b>; rel=y")]
    assert to_client(theirs, ours, version=b"1.1") == [*theirs[1:], (b"Via", b"1.1 sunset"), *ours]
