"""A `pass_through` site in front of nginx: asked through Sunset it answers as nginx does itself, byte for byte."""

from __future__ import annotations

import pytest

from proxy.core.model import Origin
from tests.edge.peers import Serving
from tests.edge.sites import passing_through, rulebook
from tests.origins.answers import Answer, ask
from tests.origins.conftest import FILES

ZIPPED = "Accept-Encoding: gzip"
BROWSER = "Accept-Encoding: gzip, deflate, br, zstd"
CHANGED = "Tue, 14 Nov 2023 22:13:20 GMT"
LATER = "Wed, 15 Nov 2023 00:00:00 GMT"
BEFORE = "Mon, 13 Nov 2023 00:00:00 GMT"
BIG_TAG = f'"{1_700_000_000:x}-{len(FILES["big.bin"]):x}"'
PAGE_TAG = f'"{1_700_000_000:x}-{len(FILES["page.html"]):x}"'

Case = tuple[str, int] | tuple[str, int, tuple[str, ...]]

# Method and target, the status that nginx answers with, and fields of the request. Behind an empty field comes a body.
TABLE: list[Case] = [
    # files
    ("GET /", 200),
    ("GET /page.html", 200),
    ("GET /small.html", 200),
    ("GET /page.xhtml", 200),
    ("GET /plain.txt", 200),
    ("GET /empty.txt", 200),
    ("GET /picture.png", 200),
    ("GET /big.bin", 200),
    ("GET /drawing.svg?v=1", 200),
    ("GET /caf%C3%A9%20au%20lait.txt", 200),
    ("GET //folder/./../page.html", 200),
    ("GET /folder/", 200),
    ("HEAD /", 200),
    ("HEAD /page.html", 200),
    ("HEAD /empty.txt", 200),
    ("HEAD /big.bin", 200),
    # codings
    ("GET /page.html", 200, (ZIPPED,)),
    ("GET /page.html", 200, (BROWSER,)),
    ("HEAD /page.html", 200, (BROWSER,)),
    ("GET /small.html", 200, (ZIPPED,)),
    ("GET /style.css", 200, (ZIPPED,)),
    ("GET /script.js", 200, (BROWSER,)),
    ("GET /data.json", 200, ("Accept-Encoding: gzip;q=0",)),
    ("GET /data.json", 200, ("Accept-Encoding: br;q=1, gzip;q=0.5",)),
    ("GET /picture.png", 200, (ZIPPED,)),
    ("GET /unzipped/page.html", 200, (ZIPPED,)),
    ("GET /packed/packed.html", 200, (ZIPPED,)),
    ("GET /packed/packed.html", 200),
    ("HEAD /packed/packed.html", 200),
    # charsets
    ("GET /utf-8/page.html", 200),
    ("GET /latin/latin.html", 200),
    ("GET /latin/plain.txt", 200, (ZIPPED,)),
    # ranges
    ("GET /big.bin", 206, ("Range: bytes=0-0",)),
    ("GET /big.bin", 206, ("Range: bytes=1000-20000",)),
    ("GET /big.bin", 206, ("Range: bytes=300000-",)),
    ("GET /big.bin", 206, ("Range: bytes=-17",)),
    ("GET /big.bin", 206, ("Range: bytes=0-9,100-109,-5",)),
    ("GET /big.bin", 416, ("Range: bytes=307200-",)),
    ("GET /big.bin", 416, ("Range: bytes=5-2",)),
    ("GET /big.bin", 206, ("Range: bytes=0-9", f"If-Range: {BIG_TAG}")),
    ("GET /big.bin", 200, ("Range: bytes=0-9", 'If-Range: "other"')),
    ("GET /big.bin", 206, ("Range: bytes=0-9", f"If-Range: {CHANGED}")),
    ("GET /page.html", 200, ("Range: bytes=0-99", ZIPPED)),
    ("GET /no-ranges/big.bin", 200, ("Range: bytes=0-9",)),
    ("HEAD /big.bin", 206, ("Range: bytes=0-9",)),
    # conditions
    ("GET /page.html", 304, (f"If-None-Match: {PAGE_TAG}",)),
    ("GET /page.html", 304, (f"If-None-Match: W/{PAGE_TAG}, *", ZIPPED)),
    ("GET /page.html", 200, ('If-None-Match: "other"',)),
    ("HEAD /page.html", 304, (f"If-None-Match: {PAGE_TAG}",)),
    ("GET /page.html", 304, (f"If-Modified-Since: {CHANGED}",)),
    ("GET /page.html", 200, (f"If-Modified-Since: {BEFORE}",)),
    ("GET /longest/page.html", 304, (f"If-Modified-Since: {LATER}",)),
    ("GET /page.html", 412, ('If-Match: "other"',)),
    ("GET /page.html", 412, (f"If-Unmodified-Since: {BEFORE}",)),
    # freshness
    ("GET /static/style.css", 200),
    ("GET /static/style.css", 304, (f"If-Modified-Since: {CHANGED}",)),
    ("GET /never/style.css", 200),
    ("GET /longest/style.css", 200),
    ("GET /download/big.bin", 200),
    # bodies of unknown length
    ("GET /list/", 200),
    ("GET /list-json/", 200, (ZIPPED,)),
    ("HEAD /list/", 200),
    ("GET /included/parts.html?a=1&a=2", 200),
    ("GET /included/parts.html", 200, (ZIPPED,)),
    ("GET /replaced/page.html", 200),
    ("GET /around/page.html", 200),
    ("GET /around/page.html", 200, (BROWSER,)),
    # fields
    ("GET /cookies", 200),
    ("HEAD /cookies", 200),
    ("GET /doubles", 200),
    ("GET /odd-fields", 200),
    ("GET /long-field", 200),
    ("GET /policies", 200),
    # redirects
    ("GET /folder", 301),
    ("GET /folder?a=b", 301),
    ("GET /goto/301", 301),
    ("GET /goto/302", 302),
    ("GET /goto/303", 303),
    ("GET /goto/307", 307),
    ("GET /goto/308?x=%2F", 308),
    ("HEAD /goto/301", 301),
    # statuses
    *((f"GET /status/{status}", status) for status in (201, 202, 204, 400, 401, 402, 403, 404, 405, 410, 418, 421)),
    *((f"GET /status/{status}", status) for status in (429, 451, 500, 503, 507, 599)),
    ("HEAD /status/204", 204),
    ("HEAD /status/404", 404),
    ("GET /nothing", 404),
    ("GET /nothing", 404, ("User-Agent: Mozilla/5.0 (compatible; MSIE 6.0)",)),
    ("GET /pages/nothing", 404),
    ("GET /status/401", 401, ("Authorization: Basic b2xkOnNob3A=",)),
    # methods and bodies
    ("POST /page.html", 405, ("Content-Length: 3", "", "a=b")),
    ("OPTIONS /page.html", 405),
    ("OPTIONS /kept/", 405),
    ("DELETE /page.html", 405),
    ("PROPFIND /page.html", 405),
    ("PUT /page.html", 405, ("Content-Length: 0",)),
    ("PUT /page.html", 413, ("Content-Length: 2000", "", "x" * 2000)),
    ("DELETE /kept/nothing", 404),
    ("MKCOL /kept/no/such/", 409),
    ("POST /said/form", 200, ("Content-Type: text/x-mine", "Content-Length: 3", "", "a=b")),
    ("POST /said/form", 200, ("Transfer-Encoding: chunked", "", "3\r\na=b\r\n0\r\n\r\n")),
    # what reaches the origin
    ("GET /said/a%2Fb//c/./d?page=%41&&=;x=+%zz", 200),
    ("GET /said/%e4%C3%A4'!*()[]{}|^`\"\\", 200),
    ("GET /said/?", 200),
    ("GET /said/?page=https://elsewhere.example/?a=b", 200),
    ("GET /said/", 200, ("User-Agent:   Mozilla/5.0  (X11)  ", "Cookie: a=1; b=2", "X-Mine: \u00e9\u20ac")),
    ("GET /said/", 200, ("Cookie: a=1", "Cookie: b=2")),
]


def request_of(case: Case) -> bytes:
    start, _, *rest = case
    lines = [f"{start} HTTP/1.1", "Host: po.co", *(rest[0] if rest else ())]
    if "" in lines:
        return "\r\n".join(lines).encode()
    return "\r\n".join([*lines, "", ""]).encode()


def named(case: Case) -> str:
    start, status, *rest = case
    return f"{start[:50]} {status} {'; '.join(rest[0] if rest else ())[:40]}".strip()


async def both(nginx: Origin, serving: Serving, request: bytes) -> tuple[Answer, Answer]:
    """What nginx answers, and what comes through Sunset."""
    server = await serving(rulebook(passing_through(nginx)))
    return (await ask(nginx.port, request)).steady, (await ask(server.addresses[0].port, request)).steady


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 100


@pytest.mark.parametrize("case", TABLE, ids=named)
async def test_it_answers_as_the_origin_itself(nginx: Origin, serving: Serving, case: Case) -> None:
    direct, through = await both(nginx, serving, request_of(case))
    assert int(direct.start[9:12]) == case[1]
    assert through == direct


async def test_trailers_are_those_of_the_origin(nginx: Origin, serving: Serving) -> None:
    direct, through = await both(nginx, serving, request_of(("GET /trailer", 200, (ZIPPED, "TE: trailers"))))
    assert direct.trailers == [b"X-Checksum: abc"]
    assert through == direct


async def test_to_a_client_of_http_1_0_it_answers_without_chunks(nginx: Origin, serving: Serving) -> None:
    direct, through = await both(nginx, serving, b"GET /around/page.html HTTP/1.0\r\nHost: po.co\r\n\r\n")
    assert not direct.chunked
    assert through == direct


async def test_what_is_put_there_is_there(nginx: Origin, serving: Serving) -> None:
    server = await serving(rulebook(passing_through(nginx)))
    port = server.addresses[0].port
    put = await ask(port, b"PUT /kept/new.txt HTTP/1.1\r\nHost: po.co\r\nContent-Length: 3\r\n\r\nnew")
    assert put.start == b"HTTP/1.1 201 Created"
    assert (await ask(nginx.port, b"GET /kept/new.txt HTTP/1.1\r\nHost: po.co\r\n\r\n")).body == b"new"
    moved = await ask(port, b"DELETE /kept/new.txt HTTP/1.1\r\nHost: po.co\r\n\r\n")
    assert moved.start == b"HTTP/1.1 204 No Content"
    assert (await ask(port, b"GET /kept/new.txt HTTP/1.1\r\nHost: po.co\r\n\r\n")).start == b"HTTP/1.1 404 Not Found"
