"""How a link of the banner says which page it stands in, and what is read back."""

from urllib.parse import parse_qs

import ada_url
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.core.url import has_forbidden
from proxy.wire.asked import MAX_BYTES, as_parameter, asked_page

TARGETS = st.lists(
    st.sampled_from([b"/", b"a", b"uk", b".", b"..", b"%2e", b"\\", b"?", b"&", b"=", b"+", b"%", b"\xe4", b"#"])
)


@pytest.mark.parametrize(
    ("target", "value"),
    [
        (b"/uk/product/poco-f6", b"/uk/product/poco-f6"),
        (b"/uk/x?c=red&d=%20", b"/uk/x?c=red%26d=%2520"),
        (b"/uk/a+b", b"/uk/a%2Bb"),
        (b"/uk/\"><script>'", b"/uk/%22%3E%3Cscript%3E%27"),
        (b"/uk/\xe4#", b"/uk/%E4%23"),
        (b"/" + b"a" * MAX_BYTES, b""),
        (b"/" + b"%" * (MAX_BYTES // 2), b""),
    ],
)
def test_a_target_is_written_as_one_parameter(target: bytes, value: bytes) -> None:
    assert as_parameter(target) == value


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_a_parameter_is_read_back_as_it_was_by_anyone(target: bytes) -> None:
    value = as_parameter(target)
    read = parse_qs("from=" + value.decode(), keep_blank_values=True, encoding="latin-1")
    assert read == {"from": [target.decode("latin-1")]}
    assert not set(value) & set(b"&<>\"'+# ")


@pytest.mark.parametrize(
    "target", [b"/uk", b"/uk/", b"/uk?x", b"/uk/x?c=red&d=%20%2F", b"/uk//x", b"/uk/a+b", b"/uk/.x/..y"]
)
def test_a_page_below_the_base_is_read_back_to_the_byte(target: bytes) -> None:
    assert asked_page(b"from=" + as_parameter(target), b"/uk") == target
    assert asked_page(b"a=b&from=" + as_parameter(target) + b"&c", b"/uk") == target


@pytest.mark.parametrize(
    "query",
    [
        None,
        b"",
        b"from",
        b"from=",
        b"page=/uk/",
        b"from=https://evil.example/uk/",
        b"from=//evil.example/uk/",
        b"from=/%2Fevil.example/uk/",
        b"from=/%5Cevil.example/uk/",
        b"from=%5C%5Cevil.example",
        b"from=javascript:alert(1)",
        b"from=uk/",
        b"from=/ukraine",
        b"from=/fr/",
        b"from=/",
        b"from=/uk/../fr",
        b"from=/uk/..",
        b"from=/uk/.",
        b"from=/uk/%252e%252E/fr",
        b"from=/uk/%2e%2e/fr",
        b"from=/uk/..%5Cfr",
        b"from=/uk/%0d%0aSet-Cookie:x",
        b"from=/uk/%00",
        b"from=/uk/ x".replace(b" ", b"%20"),
        b"from=/uk/%23",
        b"from=/uk/.sunset/dismiss?from=/uk/.sunset/dismiss",
        b"from=/uk/%252esunset/notice",
        b"from=/UK/.SUNSET/notice",
        b"from=&from=/uk/",
        b"from=/uk/" + b"a" * MAX_BYTES,
    ],
)
def test_nothing_else_is_taken_for_a_page(query: bytes | None) -> None:
    assert asked_page(query, b"/uk") is None


@pytest.mark.parametrize(
    ("query", "page"),
    [(b"from=/", b"/"), (b"from=/x/?y", b"/x/?y"), (b"from=/\xc3\xa4", b"/%C3%A4"), (b"from=//x", None)],
)
def test_at_the_root_every_path_is_below_the_base(query: bytes, page: bytes | None) -> None:
    assert asked_page(query, b"") == page


def test_the_case_of_the_base_is_left_to_the_site() -> None:
    assert asked_page(b"from=/UK/x", b"/uk") == b"/UK/x"


@settings(deadline=None)
@given(TARGETS.map(b"".join), st.sampled_from([b"", b"/uk"]))
@example(b"/uk/%2e%2e%2fx", b"/uk")
@example(b"/uk/..;/x", b"/uk")
def test_a_browser_that_is_sent_there_stays_on_the_host_and_below_the_base(target: bytes, base: bytes) -> None:
    page = asked_page(b"from=" + as_parameter(target), base)
    if page is None:
        return
    assert not has_forbidden(page)
    assert page.isascii()
    for address in (b"https://po.co" + page, page):
        seen = ada_url.URL(address.decode(), base="https://po.co/elsewhere")
        assert seen.origin == "https://po.co"
        assert seen.pathname == "/" + base.decode().strip("/") or seen.pathname.startswith(base.decode() + "/")
