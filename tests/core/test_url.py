"""Hosts and request targets, as bytes."""

from itertools import product

import pytest

from proxy.core.url import (
    PLAIN_TARGET,
    escape_written,
    normal_form,
    parse_host,
    rest_after,
    split_absolute,
    split_query,
)
from tests.core import naive


@pytest.mark.parametrize(
    ("written", "host"),
    [
        (b"po.co", b"po.co"),
        (b"PO.CO", b"po.co"),
        (b"po.co.", b"po.co"),
        (b"po.co:443", b"po.co"),
        (b"po.co:", b"po.co"),
        (b"po.co.:8080", b"po.co"),
        (b"localhost", b"localhost"),
        (b"a_b.example", b"a_b.example"),
        (b"127.0.0.1:80", b"127.0.0.1"),
        (b"[::1]:80", b"[::1]"),
        (b"xn--bcher-kva.example", b"xn--bcher-kva.example"),
    ],
)
def test_a_host_is_compared_in_lower_case_without_port_and_trailing_dot(written: bytes, host: bytes) -> None:
    assert parse_host(written) == host


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b".",
        b"..",
        b".po.co",
        b"po..co",
        b"po.co..",
        b"a,b",
        b"a/x",
        b"po.co po.co",
        b" po.co",
        b"po.co\t",
        b"user@po.co",
        b"po.co@169.254.169.254",
        b"po.co:99999",
        b"po.co:123456",
        b"po.co:80:80",
        b"po.co:-1",
        b"po.co:8a",
        b"-po.co",
        b"p\xc3\xb6.co",
        b"po.co\x00",
        b"po.co\r\nX: y",
        b"[::1",
        b"::1",
        b"[::1]x",
        b"po.co?",
        b"po.co#",
        b"po\\co",
        b"%70o.co",
        b"a" * 64 + b".co",
        b".".join([b"a" * 50] * 6),
    ],
)
def test_a_malformed_host_is_none(written: bytes) -> None:
    assert parse_host(written) is None


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        (b"/plain", b"/plain"),
        (b"/%7Ea", b"/~a"),
        (b"/%41%5a", b"/AZ"),
        (b"/%2f%2F", b"/%2F%2F"),
        (b"/caf%c3%a9", b"/caf%C3%A9"),
        (b"/%2e%2e/x", b"/../x"),
        (b"/%zz%", b"/%zz%"),
        (b"/%257e", b"/%257e"),
        (b"//a//", b"//a//"),
        (b"/a/../b/./c", b"/a/../b/./c"),
        (b"/%00%0d%0a", b"/%00%0D%0A"),
        (b"/;a=%3b%5c\\", b"/;a=%3B%5C\\"),
    ],
)
def test_only_escapes_of_unreserved_characters_are_decoded_for_comparing(raw: bytes, normal: bytes) -> None:
    assert normal_form(raw) == normal
    assert normal_form(normal) == normal


def test_every_escape_in_every_spelling_has_its_normal_form() -> None:
    for high, low in product(b"0123456789ABCDEFabcdef", repeat=2):
        escape = b"/%" + bytes((high, low)) + b"/"
        assert normal_form(escape) == naive.normal(escape)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"http://po.co/x?y", (b"http", b"po.co", b"/x?y")),
        (b"HTTPS://po.co", (b"https", b"po.co", b"/")),
        (b"http://po.co?y", (b"http", b"po.co", b"/?y")),
        (b"pany://x/", (b"pany", b"x", b"/")),
        (b"http:///x", (b"http", b"", b"/x")),
        (b"/http://x/", None),
        (b"mailto:x", None),
        (b"*", None),
    ],
)
def test_an_absolute_target_is_taken_apart(target: bytes, parts: tuple[bytes, bytes, bytes] | None) -> None:
    assert split_absolute(target) == parts


def test_no_query_is_not_an_empty_query() -> None:
    assert split_query(b"/x") == (b"/x", None)
    assert split_query(b"/x?") == (b"/x", b"")
    assert split_query(b"/x?a?b") == (b"/x", b"a?b")


@pytest.mark.parametrize(
    ("path", "count", "rest"),
    [
        (b"/uk", 1, b""),
        (b"/uk/", 1, b"/"),
        (b"/%75k/a%2fb/", 1, b"/a%2fb/"),
        (b"/a/b/c", 2, b"/c"),
        (b"/a", 0, b"/a"),
        (b"/a", 5, b""),
        (b"//a//", 1, b"/a//"),
    ],
)
def test_what_follows_the_first_segments_keeps_its_bytes(path: bytes, count: int, rest: bytes) -> None:
    assert rest_after(path, count) == rest


def test_what_a_human_writes_goes_over_the_wire_as_utf8_escapes() -> None:
    assert escape_written("/actualités/a b%20c") == b"/actualit%C3%A9s/a%20b%20c"


def test_a_plain_target_is_visible_ascii_without_a_fragment() -> None:
    plain = [byte for byte in range(256) if (target := b"/a%ca" % byte).translate(PLAIN_TARGET) == target]
    assert bytes(plain) == bytes(range(0x21, 0x7F)).replace(b"#", b"")
