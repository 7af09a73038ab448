"""The injector in a stream: what goes on at once, what is held back, and how much of it at most."""

import time

import pytest

from proxy.wire.body import MAX_CONSTRUCT_BYTES, MAX_HELD_BYTES
from proxy.wire.notice import PAGE_TYPES, Injector, Outcome, media_type
from tests.notice.judges import NOTICE, difference, injected

UTF8 = b"text/html; charset=utf-8"
CHUNK = 16 * 1024
CUTS = (1, 1000, CHUNK, 2 * CHUNK, 2 * CHUNK + 1)


def test_a_notice_is_ascii() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        Injector("<aside>Déménagement</aside>".encode())


@pytest.mark.parametrize(
    "notice",
    [
        b"<aside>x</aside>",
        b"<aside lang=ar dir=rtl><style>a>b{}</style><p>&#1593;<p>x<form><button>y</button></form></aside>",
        b"<aside><h2>x</h2><ul><li>y<li>z</ul><details><summary>x</summary>y</details><table><tr><td>x</table></aside>\n",
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        b"<body><p>x",
        b"<!doctype html>text",
        b"<title>x</title>\n<form><p><b>x</p>y</form>",
        b"<html></head><table><tr><td><form><p>x",
        b"<p><b><i>x</p>y",
        b"<title>x</title><li>y<option>z</body>",
    ],
)
def test_a_notice_may_hold_what_a_body_may(notice: bytes, page: bytes) -> None:
    notice = notice.replace(b"<aside", b"<aside data-notice", 1)
    outcome, out = injected(page, notice=notice)
    assert outcome is Outcome.INJECTED
    assert difference(page.decode(), out.decode().replace("</aside>\n", "</aside>")) == ""


def test_what_is_read_of_a_head_goes_on_at_once() -> None:
    injector = Injector(NOTICE, UTF8)
    for chunk in (
        b"<!doctype html>",
        b"<title>x</title>",
        b"<!-- c -->",
        b"<script>if (a < b) {}</script>",
        b"</head>\n",
    ):
        assert injector.feed(chunk) == chunk


def test_a_notice_goes_on_with_the_body_tag() -> None:
    injector = Injector(NOTICE, UTF8)
    assert injector.feed(b"<title>x</title><body") == b"<title>x</title>"
    assert injector.feed(b" a='") == b"<body a='"
    assert injector.outcome is None
    assert injector.feed(b">'>x") == b">'>" + NOTICE + b"x"
    assert injector.outcome is Outcome.INJECTED


def test_behind_the_notice_chunks_go_through_as_they_are() -> None:
    injector = Injector(NOTICE, UTF8)
    injector.feed(b"<body>")
    chunk = bytes(1000)
    assert injector.feed(chunk) is chunk
    assert injector.finish() == b""


def test_an_implied_body_is_held_back_until_it_is_sure() -> None:
    injector = Injector(NOTICE, UTF8)
    assert injector.feed(b"<title>x</title> <div> ") == b"<title>x</title> "
    assert injector.feed(b"<p><span>") == b""
    assert injector.feed(b"y</span>") == NOTICE + b"<div> <p><span>y</span>"


def test_an_implied_body_is_sure_at_the_end() -> None:
    injector = Injector(NOTICE, UTF8)
    assert injector.feed(b"<title>x</title><div></div>") == b"<title>x</title>"
    assert injector.finish() == NOTICE + b"<div></div>"
    assert injector.outcome is Outcome.INJECTED


def test_nothing_is_held_back_of_a_long_head() -> None:
    head = b"<!doctype html><!--" + b"-" * 300_000 + b"--><script>" + b"</scrip<!--" * 30_000 + b"--></script>"
    head += (
        b'<link href="' + b">" * 300_000 + b'"><meta ' + b"a='b' " * 30_000 + b"><style>" + b"<" * 100_000 + b"</style>"
    )
    injector = Injector(NOTICE, UTF8)
    missing = 0
    for start in range(0, len(head), CHUNK):
        chunk = head[start : start + CHUNK]
        missing += len(chunk) - len(injector.feed(chunk))
        assert missing < 32
    assert injector.feed(b"<body>").endswith(NOTICE)


@pytest.mark.parametrize("filler", [b" ", b"<div>", b"<!---->", b"&#32;", b"</p>"])
def test_a_page_that_never_shows_anything_is_given_up(filler: bytes) -> None:
    opening = b"<title>x</title><div>"
    page = opening + filler * (MAX_HELD_BYTES // len(filler) + CHUNK) + b"text"
    injector = Injector(NOTICE, UTF8)
    held = 0
    for start in range(0, len(page), CHUNK):
        chunk = page[start : start + CHUNK]
        held += len(chunk) - len(injector.feed(chunk))
        assert held <= MAX_HELD_BYTES + CHUNK
    injector.finish()
    assert injector.outcome is Outcome.DOUBTFUL


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_how_much_is_held_does_not_depend_on_the_chunks(beyond: int) -> None:
    opening = b"<title>x</title>"
    page = opening + b"<b>" + b" " * (MAX_HELD_BYTES + beyond - 3) + b"text"
    expected = Outcome.DOUBTFUL if beyond > 0 else Outcome.INJECTED
    whole = injected(page)
    assert whole[0] is expected
    edge = len(opening) + MAX_HELD_BYTES
    for cuts in (CUTS, (edge - 1,), (edge,), (edge + 1,), (edge + 2,), range(0, len(page), 1000)):
        assert injected(page, *cuts) == whole


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize(
    ("before", "filler", "behind"),
    [
        (b'<html a="', b"x", b'">'),
        (b"<noscript>", b" ", b"</noscript>"),
        (b"<title>x</title><p><noscript>", b" ", b"</noscript>"),
    ],
)
def test_what_has_to_be_seen_whole_may_not_be_long(before: bytes, filler: bytes, behind: bytes, beyond: int) -> None:
    start = max(before.rfind(b"<noscript"), 0)
    page = before + filler * (MAX_CONSTRUCT_BYTES - len(before[start:]) - len(behind) + beyond) + behind + b"<body>x"
    whole = injected(page)
    assert whole[0] is (Outcome.DOUBTFUL if beyond else Outcome.INJECTED)
    edge = start + MAX_CONSTRUCT_BYTES
    for cuts in (CUTS, (edge - 1,), (edge,), (edge + 1,), range(0, len(page), 100)):
        assert injected(page, *(cut for cut in cuts if cut < len(page))) == whole


@pytest.mark.parametrize(
    "page",
    [
        b"<html><link " + b'a="x" ' * 30_000,
        b"<html><link " + b"a = 'x' b=c d " * 15_000,
        b"<html><link a" + b" /" * 100_000,
        b"<html><link " + b"=" * 200_000,
        b"<html><!--" + b"- " * 100_000,
        b"<html><!--" + b"-" * 200_000,
        b"<html><script>" + b"</scrip" * 30_000,
        b"<html><script>" + b"<!--<script>--" * 15_000,
        b"<html><title>" + b"<" * 200_000,
        b"<html><noscript>" + b"<!--" * 30_000,
        b"<html><noscript>" + b"<p a='" * 1_300 + b"</noscript>",
        b"<html><noscript>" + b"<iframe>" * 1_000 + b"</noscript>",
        b"<html " + b'a="x" ' * 30_000,
        b"<html><template>" + b"<p>a" * 30_000,
        b"<html>" + b"<!---->&#32;</p>" * 10_000,
        b" " * 200_000,
    ],
    ids=lambda page: page[:30],
)
def test_whatever_comes_is_read_in_linear_time(page: bytes) -> None:
    for size in (len(page), CHUNK, 1000):
        before = time.process_time()
        injected(page, *range(size, len(page), size))
        assert time.process_time() - before < 5  # it takes a tenth of a second at most; trying twice would take ages


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"text/html", b"text/html"),
        (b"Text/HTML ; charset=utf-8", b"text/html"),
        (b"application/xhtml+xml;charset=utf-8", b"application/xhtml+xml"),
        (b"application/json", b"application/json"),
        (b"", b""),
    ],
)
def test_the_media_type_of_a_content_type(content_type: bytes, expected: bytes) -> None:
    assert media_type(content_type) == expected
    assert (expected in PAGE_TYPES) == (b"html" in expected)
