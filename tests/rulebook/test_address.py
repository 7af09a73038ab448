"""Addresses as people type, paste and export them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.rulebook.address import AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "host", "target", "secure"),
    [
        ("https://po.co/uk/", b"po.co", b"/uk/", True),
        ("http://po.co/uk", b"po.co", b"/uk", False),
        ("HTTP://po.co/uk", b"po.co", b"/uk", False),
        ("po.co/uk", b"po.co", b"/uk", True),
        ("po.co", b"po.co", b"/", True),
        ("po.co:8443/x", b"po.co", b"/x", True),
        ("https://po.co:443", b"po.co", b"/", True),
        ("//po.co/x", b"po.co", b"/x", True),
        ("  https://po.co/x  ", b"po.co", b"/x", True),
        ("https://po.co?a=1", b"po.co", b"/?a=1", True),
        ("https://po.co/x?", b"po.co", b"/x?", True),
        ("https://po.co/x#frag", b"po.co", b"/x", True),
        ("https://po.co#frag?x", b"po.co", b"/", True),
        ("https://po.co/a%2Fb%zz/../c//d;e=f\\g", b"po.co", b"/a%2Fb%zz/../c//d;e=f\\g", True),
        ("https://po.co/a b", b"po.co", b"/a%20b", True),
        ("https://po.co/actualités?q=é", b"po.co", b"/actualit%C3%A9s?q=%C3%A9", True),
        ("https://bücher.example/", b"xn--bcher-kva.example", b"/", True),
        ("https://BÜCHER.example:80/", b"xn--bcher-kva.example", b"/", True),
        ("https://faß.example/", b"xn--fa-hia.example", b"/", True),
        ("https://[2001:db8::1]:8080/x", b"[2001:db8::1]", b"/x", True),
        ("https://po.co/https://po.co/@x:y", b"po.co", b"/https://po.co/@x:y", True),
        ("https://po.co/?u=https://a@b", b"po.co", b"/?u=https://a@b", True),
    ],
)
def test_an_address_is_what_its_request_carries(text: str, host: bytes, target: bytes, secure: bool) -> None:
    assert parse_address(text) == (host, target, secure)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "  ",
            "/uk/",
            "?a",
            "#x",
            "ftp://po.co/",
            "mailto:me@po.co",
            "javascript:alert(1)",
            "https://",
            "https:///x",
        ),
        *(
            "https://me@po.co/",
            "https://me:pw@po.co/",
            "https://po.co:x/",
            "https://po.co\\evil",
            "a b",
            "https://a,b/",
        ),
        *("https://po.co/\n", "https://po.co/a\tb", "https://po.co/\udcff", "https://\udcff/", "https://é..x/", "\x00"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    if text == "https://po.co/\n":  # a line end around an address is what a file has
        assert parse_address(text).host == b"po.co"
        return
    with pytest.raises(AddressError):
        parse_address(text)


@settings(deadline=None)
@given(st.text(max_size=50) | st.text(max_size=40).map(lambda rest: f"https://po.co/{rest}"))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert address.raw_target.startswith(b"/")
    assert address.raw_target.isascii()
    assert not any(byte < 0x21 or byte == 0x7F for byte in address.raw_target)
