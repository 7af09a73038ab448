"""What holds for every page and every way to cut it, however broken it is."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.wire.body import MAX_CONSTRUCT_BYTES, MAX_HELD_BYTES
from proxy.wire.notice import Injector, Outcome
from tests.notice.documents import documents
from tests.notice.judges import NOTICE, difference, injected

cuts = st.lists(st.integers(min_value=0, max_value=400), max_size=6)

REAL = """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Phones &amp; more</title>
<link rel="stylesheet" href='/css/main.css'><!-- a --><style>a>b{color:red}</style>
<script>if (1 < 2) { document.write("<body>") }</script><noscript><img src="x"></noscript>
</head><body class="home">
<p>Hello</p></body></html>"""


@st.composite
def mutilated(draw: st.DrawFn) -> str:
    """A real page, of which something is left out, doubled or moved."""
    page = REAL
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        start, end, at = (draw(st.integers(min_value=0, max_value=len(page))) for _ in range(3))
        start, end = sorted((start, end))
        page = draw(st.sampled_from([page[:start] + page[end:], page[:at] + page[start:end] + page[at:], page[:end]]))
    return page


@settings(max_examples=1000, deadline=None)
@given(st.one_of(documents, documents, mutilated()))
def test_a_page_is_the_same_less_one_notice(page: str) -> None:
    raw = page.encode()
    outcome, out = injected(raw)
    if outcome is Outcome.INJECTED:
        assert out.count(NOTICE) == 1
        assert out.replace(NOTICE, b"") == raw
        assert difference(page.removeprefix("\ufeff"), out.decode("utf-8-sig")) == ""
    else:
        assert out == raw


@settings(max_examples=500, deadline=None)
@given(st.one_of(documents, documents, mutilated()).map(str.encode), cuts)
def test_chunk_boundaries_change_nothing(page: bytes, places: list[int]) -> None:
    whole = injected(page)
    assert injected(page, *(place for place in places if place < len(page))) == whole
    assert injected(page, *range(1, len(page))) == whole


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", b"<html>", b"<title>", b"<p>", b"\xff\xfe", b"<!--"]), cuts)
@example(b"\x1b", b"<p>", [])
def test_any_bytes_go_through(tail: bytes, opening: bytes, places: list[int]) -> None:
    page = opening + tail
    for content_type in (b"text/html", b"text/html; charset=utf-8", b"application/xhtml+xml"):
        whole = injected(page, content_type=content_type)
        assert injected(page, *(place for place in places if place < len(page)), content_type=content_type) == whole
        assert whole[1].replace(NOTICE, b"", 1) == page


@settings(deadline=None)
@given(st.lists(documents, max_size=4).map("".join).map(str.encode), st.integers(min_value=1, max_value=50))
def test_what_is_held_back_is_bounded(page: bytes, size: int) -> None:
    injector = Injector(NOTICE, b"text/html; charset=utf-8")
    missing = 0
    for start in range(0, len(page), size):
        chunk = page[start : start + size]
        missing += len(chunk) - len(injector.feed(chunk))
        assert missing <= MAX_HELD_BYTES + MAX_CONSTRUCT_BYTES + size
    injector.finish()
