"""Hiding the notice by a link, and coming back to the page."""

from dataclasses import replace

import pytest

from proxy.core.model import Notice
from proxy.wire.dismissal import SECONDS, Dismissal, dismiss_path, dismissal_of
from proxy.wire.head import Header
from tests.banner.closing_sites import NOTICE, closing_site


def dismissal(base: bytes = b"/uk", name: str = "poco-uk", notice: Notice = NOTICE) -> Dismissal:
    made = dismissal_of(closing_site(base=base, name=name, notice=notice))
    assert made is not None
    return made


def fields(query: bytes | None = b"from=/uk/x?y%26z", *headers: Header, secure: bool = True) -> dict[bytes, bytes]:
    return dict(dismissal().answer(b"po.co", query, headers, secure=secure))


def cookie_of(made: Dismissal) -> bytes:
    answer = dict(made.answer(b"po.co", None, (), secure=True))
    return answer[b"Set-Cookie"].partition(b";")[0]


def test_a_notice_that_cannot_be_hidden_has_no_dismissal() -> None:
    assert dismissal_of(closing_site(notice=replace(NOTICE, dismissible=False))) is None
    assert dismissal_of(closing_site(notice=None)) is None


@pytest.mark.parametrize(("base", "path"), [(b"/uk", b"/uk/.sunset/dismiss"), (b"", b"/.sunset/dismiss")])
def test_the_link_is_below_the_base(base: bytes, path: bytes) -> None:
    assert dismiss_path(closing_site(base=base)) == path


@pytest.mark.parametrize(
    ("query", "secure", "location"),
    [
        (b"from=/uk/x?y%26z", True, b"https://po.co/uk/x?y&z"),
        (b"from=/uk/x", False, b"http://po.co/uk/x"),
        (b"from=//evil.example", True, b"https://po.co/uk"),
        (b"from=/fr", True, b"https://po.co/uk"),
        (None, True, b"https://po.co/uk"),
    ],
)
def test_it_leads_back_to_the_page_or_else_to_the_base(query: bytes | None, secure: bool, location: bytes) -> None:
    assert fields(query, secure=secure)[b"Location"] == location


def test_at_the_root_it_leads_back_to_the_root() -> None:
    assert dict(dismissal(b"").answer(b"[::1]:8080", None, (), secure=False))[b"Location"] == b"http://[::1]:8080/"


def test_no_cache_keeps_it() -> None:
    assert fields()[b"Cache-Control"] == b"no-store"


@pytest.mark.parametrize(
    ("base", "path"), [(b"/uk", b"/uk"), (b"", b"/"), (b"/a;b", b"/"), (b"/%C3%A4", b"/%C3%A4"), (b"/a b", b"/")]
)
def test_the_cookie_is_the_bases_own(base: bytes, path: bytes) -> None:
    cookie = dict(dismissal(base).answer(b"po.co", None, (), secure=True))[b"Set-Cookie"]
    name, *attributes = cookie.split(b"; ")
    assert name.startswith(b"sunset-notice-poco-uk=")
    assert attributes == [b"Path=" + path, b"Max-Age=%d" % SECONDS, b"HttpOnly", b"SameSite=Lax", b"Secure"]


def test_over_plain_http_the_cookie_is_not_marked_secure() -> None:
    assert b"Secure" not in fields(secure=False)[b"Set-Cookie"]


@pytest.mark.parametrize(
    "header",
    [
        (b"Sec-Purpose", b"prefetch;prerender"),
        (b"Purpose", b"prefetch"),
        (b"X-Moz", b"prefetch"),
        (b"X-Sec-Purpose", b"prefetch"),
        (b"Sec-Fetch-Mode", b"cors"),
        (b"sec-fetch-mode", b"no-cors"),
        (b"Sec-Fetch-Site", b"cross-site"),
    ],
)
def test_what_no_person_asked_for_hides_nothing(header: Header) -> None:
    answer = fields(b"from=/uk/x", header)
    assert b"Set-Cookie" not in answer
    assert answer[b"Location"] == b"https://po.co/uk/x"


def test_a_click_hides_it() -> None:
    headers = ((b"Sec-Fetch-Mode", b"navigate"), (b"Sec-Fetch-Site", b"same-origin"), (b"Sec-Fetch-User", b"?1"))
    assert b"Set-Cookie" in fields(b"", *headers)


@pytest.mark.parametrize(
    ("cookie", "hidden"),
    [
        (b"%b", True),
        (b"a=b; %b; c=d", True),
        (b"a=b;%b", True),
        (b" %b ", True),
        (b"x%b", False),
        (b"%bx", False),
        (b"a=%b", False),
        (b'a="%b"', False),
        (b"", False),
    ],
)
def test_the_cookie_is_known_again(cookie: bytes, hidden: bool) -> None:
    made = dismissal()
    value = cookie.replace(b"%b", cookie_of(made))
    assert made.is_in(value) is hidden


def test_the_cookie_of_another_site_hides_nothing() -> None:
    assert not dismissal().is_in(cookie_of(dismissal(b"", "poco-global")))


def test_a_new_message_is_shown_again() -> None:
    newer = dismissal(notice=replace(NOTICE, message="Closed for good on {cutover}."))
    assert not newer.is_in(cookie_of(dismissal()))
