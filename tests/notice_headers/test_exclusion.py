"""Which requests and answers take no notice, and why."""

import pytest

from proxy.core.model import Notice
from proxy.wire.dismissal import dismissal_of
from proxy.wire.exclusion import CODINGS, Exclusion, excluded_answer, excluded_request
from proxy.wire.head import Header
from tests.banner.closing_sites import closing_site

FIREFOX = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
DISMISSAL = dismissal_of(closing_site(notice=Notice("m", dismissible=True)))
HTML = (b"Content-Type", b"text/html; charset=utf-8")


def cookie() -> bytes:
    assert DISMISSAL is not None
    fields = dict(DISMISSAL.answer(b"po.co", None, (), secure=True))
    return fields[b"Set-Cookie"].partition(b";")[0]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"Accept", FIREFOX), (b"Sec-Fetch-Dest", b"document"), (b"Sec-Fetch-Mode", b"navigate")),
        ((b"accept", b"*/*"),),
        ((b"Accept", b" */* ;q=0.8"),),
        ((b"Accept", b"Application/XHTML+XML"),),
        ((b"Sec-Fetch-Dest", b" Document "),),
        ((b"Sec-Purpose", b"prefetch;prerender"), (b"Sec-Fetch-Dest", b"document")),
        ((b"X-Requested-With", b"com.instagram.android"),),
        ((b"Upgrade", b"h2c"),),
        ((b"Cache-Control", b"max-age=0"),),
        ((b"Cookie", b"a=b"),),
        ((b"If-None-Match", b'"abc"'),),
        ((b"If-Range", b'"abc"'),),  # nothing without a Range
    ],
)
def test_a_page_that_a_person_opens_may_take_a_notice(headers: tuple[Header, ...]) -> None:
    assert excluded_request(b"GET", headers, DISMISSAL) is None
    assert excluded_request(b"GET", headers, None) is None


@pytest.mark.parametrize(
    ("method", "header", "why"),
    [
        (b"POST", (b"Accept", FIREFOX), Exclusion.METHOD),
        (b"get", (b"Accept", FIREFOX), Exclusion.METHOD),
        (b"HEAD", (b"Accept", FIREFOX), Exclusion.HEAD),
        (b"HEAD", (b"Range", b"bytes=0-"), Exclusion.RANGE),
        (b"GET", (b"Range", b"bytes=0-"), Exclusion.RANGE),
        (b"GET", (b"sec-fetch-dest", b"empty"), Exclusion.SUBREQUEST),
        (b"GET", (b"Sec-Fetch-Dest", b"iframe"), Exclusion.SUBREQUEST),
        (b"GET", (b"Sec-Fetch-Dest", b"image"), Exclusion.SUBREQUEST),
        (b"GET", (b"Sec-Fetch-Dest", b"style"), Exclusion.SUBREQUEST),
        (b"GET", (b"X-Requested-With", b"XMLHttpRequest"), Exclusion.SUBREQUEST),
        (b"GET", (b"Upgrade", b"WebSocket"), Exclusion.SUBREQUEST),
        (b"GET", (b"Accept", b"application/json, text/plain, */*"), Exclusion.SUBREQUEST),
        (b"GET", (b"Accept", b"text/css,*/*;q=0.1"), Exclusion.SUBREQUEST),
        (b"GET", (b"Accept", b"image/avif,image/webp,*/*"), Exclusion.SUBREQUEST),
        (b"GET", (b"Cache-Control", b"max-age=0, no-transform"), Exclusion.NO_TRANSFORM),
    ],
)
def test_other_requests_take_none(method: bytes, header: Header, why: Exclusion) -> None:
    assert excluded_request(method, [(b"Host", b"po.co"), header], DISMISSAL) is why


def test_whoever_has_hidden_it_does_not_see_it() -> None:
    assert excluded_request(b"GET", [(b"Cookie", b"a=b; " + cookie())], DISMISSAL) is Exclusion.DISMISSED
    assert excluded_request(b"GET", [(b"COOKIE", b"a=b"), (b"cookie", cookie())], DISMISSAL) is Exclusion.DISMISSED
    assert excluded_request(b"GET", [(b"cookie", cookie()), (b"Cookie", b"a=b")], DISMISSAL) is Exclusion.DISMISSED
    assert excluded_request(b"GET", [(b"X-Cookie", cookie())], DISMISSAL) is None
    assert excluded_request(b"GET", [(b"Cookie", cookie())], None) is None


@pytest.mark.parametrize(
    "headers",
    [
        (HTML,),
        ((b"content-type", b"Text/HTML"),),
        ((b"Content-Type", b"application/xhtml+xml;charset=utf-8"),),
        (HTML, (b"Content-Disposition", b"inline; filename=x.html")),
        (HTML, (b"Cache-Control", b"private, max-age=5")),
        (HTML, (b"Cache-Control", b'x="no-transform"')),
        *((HTML, (b"Content-Encoding", coding.upper())) for coding in sorted(CODINGS)),
    ],
)
def test_a_page_takes_a_notice(headers: tuple[Header, ...]) -> None:
    assert excluded_answer(200, headers) is None


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        *((status, (HTML,), Exclusion.STATUS) for status in (201, 203, 204, 206, 301, 304, 404, 500, 503)),
        (200, (), Exclusion.NOT_HTML),
        (200, ((b"Content-Type", b""),), Exclusion.NOT_HTML),
        (200, ((b"Content-Type", b"text/plain"),), Exclusion.NOT_HTML),
        (200, ((b"Content-Type", b"text/html-fragment"),), Exclusion.NOT_HTML),
        (200, ((b"Content-Type", b"text/html, text/plain"),), Exclusion.NOT_HTML),
        (200, ((b"Content-Type", b"multipart/x-mixed-replace;boundary=x"),), Exclusion.NOT_HTML),
        (200, (HTML, (b"Content-Type", b"text/plain")), Exclusion.NOT_HTML),
        (200, (HTML, (b"Content-Disposition", b"Attachment; filename=x")), Exclusion.ATTACHMENT),
        (200, (HTML, (b"Content-Disposition", b"form-data")), Exclusion.ATTACHMENT),
        (200, (HTML, (b"cache-control", b"public, No-Transform")), Exclusion.NO_TRANSFORM),
        (200, (HTML, (b"Content-Encoding", b"compress")), Exclusion.ENCODED),
        (200, (HTML, (b"Content-Encoding", b"gzip, br")), Exclusion.ENCODED),
        (200, (HTML, (b"Content-Encoding", b"gzip"), (b"Content-Encoding", b"br")), Exclusion.ENCODED),
        (200, (HTML, (b"Content-Range", b"bytes 0-1/2")), Exclusion.RANGE),
    ],
)
def test_other_answers_take_none(status: int, headers: tuple[Header, ...], why: Exclusion) -> None:
    assert excluded_answer(status, headers) is why
