"""nginx behind a site with a notice: pages get it, everything else is what nginx answers itself."""

from __future__ import annotations

import zlib

import pytest

from proxy.core.model import Origin
from proxy.edge.clock import Clock
from tests.edge.peers import Serving
from tests.edge.sites import NOTICE, notice, rulebook, site
from tests.origins.answers import Answer, ask
from tests.origins.conftest import FILES

ASIDE = b'<aside class="sunset-notice" '
ZIPPED = "Accept-Encoding: gzip"


@pytest.fixture
async def port(nginx: Origin, serving: Serving) -> int:
    """Of a server in the phase `notice`."""
    server = await serving(rulebook(site(origins=(nginx,), notice=notice())), clock=Clock(NOTICE))
    return server.addresses[0].port


def asking(target: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: po.co", *fields, "", ""]).encode()


def without_notice(page: bytes) -> bytes:
    start, end = page.index(ASIDE), page.index(b"</aside>") + len(b"</aside>")
    return page[:start] + page[end:]


def plain(answer: Answer) -> bytes:
    return zlib.decompress(answer.body, 31) if answer.all(b"Content-Encoding") == [b"gzip"] else answer.body


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("/page.html", "page.html"),
        ("/small.html", "small.html"),
        ("/latin/latin.html", "latin.html"),
        ("/page.xhtml", "page.xhtml"),
        ("/packed/packed.html", "page.html"),
        ("/folder/", "folder/index.html"),
    ],
)
@pytest.mark.parametrize("coding", [ZIPPED, "Accept-Encoding: identity", "X-Nothing: said"])
async def test_a_page_gets_it_and_nothing_else_of_it_changes(port: int, target: str, file: str, coding: str) -> None:
    answer = await ask(port, asking(target, coding))
    page = plain(answer)
    assert answer.start == b"HTTP/1.1 200 OK"
    assert page.count(ASIDE) == 1
    assert without_notice(page) == FILES[file]


async def test_what_the_origin_packed_is_packed_for_who_takes_it(port: int) -> None:
    answer = await ask(port, asking("/packed/packed.html", ZIPPED))
    assert answer.all(b"Content-Encoding") == [b"gzip"]
    assert (await ask(port, asking("/packed/packed.html"))).all(b"Content-Encoding") == []


async def test_pages_in_parts_get_it(port: int) -> None:
    answer = await ask(port, asking("/included/parts.html"))
    assert answer.chunked
    assert plain(answer).count(ASIDE) == 1


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/plain.txt", ()),
        ("/plain.txt", ("Sec-Fetch-Dest: empty", ZIPPED)),
        ("/style.css", ("Accept: text/css,*/*;q=0.1", ZIPPED)),
        ("/drawing.svg", ()),
        ("/data.json", ()),
        ("/big.bin", ()),
        ("/download/page.html", ()),
        ("/nothing", ()),
        ("/folder", ()),
        ("/status/503", ()),
        ("/page.html", ("Range: bytes=0-99",)),
        ("/page.html", ("Range: bytes=-7", ZIPPED)),
        ("/big.bin", ("Range: bytes=10-19,30-39",)),
        ("/page.html", ("Sec-Fetch-Dest: iframe",)),
    ],
)
async def test_what_is_no_page_stays_as_it_is(nginx: Origin, port: int, target: str, fields: tuple[str, ...]) -> None:
    direct = (await ask(nginx.port, asking(target, *fields))).steady
    through = (await ask(port, asking(target, *fields))).steady
    assert (through.start, plain(through)) == (direct.start, plain(direct))
    for name in (b"Content-Type", b"Content-Range", b"ETag", b"Last-Modified", b"Location", b"Retry-After"):
        assert through.all(name) == direct.all(name)


async def test_what_might_have_been_a_page_comes_as_it_is_but_unpacked(port: int) -> None:
    """Nobody knows before it is there, and pages are asked for without a coding."""
    answer = await ask(port, asking("/plain.txt", ZIPPED))
    assert answer.all(b"Content-Encoding") == []
    assert answer.body == FILES["plain.txt"]


async def test_a_page_that_did_not_change_is_not_sent_again(port: int) -> None:
    first = await ask(port, asking("/page.html"))
    (tag,) = first.all(b"ETag")
    again = await ask(port, asking("/page.html", f"If-None-Match: {tag.decode()}"))
    assert again.start == b"HTTP/1.1 304 Not Modified"
    assert again.all(b"ETag") == [tag]
    assert again.body == b""


async def test_a_copy_without_the_notice_does_not_pass_for_the_page(nginx: Origin, port: int) -> None:
    direct = await ask(nginx.port, asking("/page.html"))
    for field in (
        f"If-None-Match: {direct.all(b'ETag')[0].decode()}",
        "If-Modified-Since: Wed, 15 Nov 2023 00:00:00 GMT",
    ):
        answer = await ask(port, asking("/page.html", field))
        assert answer.start == b"HTTP/1.1 200 OK"
        assert plain(answer).count(ASIDE) == 1


async def test_no_validator_holds_for_ranges_of_a_page_with_it(port: int) -> None:
    answer = await ask(port, asking("/page.html"))
    assert answer.all(b"ETag")[0].startswith(b'W/"')
    assert answer.all(b"Last-Modified") == answer.all(b"Accept-Ranges") == []


async def test_every_answer_says_when_the_site_ends(port: int) -> None:
    for target in ("/page.html", "/plain.txt", "/nothing", "/folder", "/status/204"):
        answer = await ask(port, asking(target))
        assert answer.all(b"Sunset") == [b"Tue, 31 Dec 2024 00:00:00 GMT"]
        assert len(answer.all(b"Deprecation")) == 1
