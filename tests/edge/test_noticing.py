"""The notice in forwarded pages, over real sockets: what the origin is asked, and what the client gets."""

import gzip
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import brotli
import pytest

from proxy.core.pattern import parse_path
from proxy.edge.server import Server
from tests.edge.peers import Answer, Client, Originating, Serving, ask, get
from tests.edge.sites import CUTOVER, NOTICE, SCHEDULE, notice, rulebook, site

PAGE = b"<!doctype html><html><head><title>Old</title></head><body class=a><p>Old page</p></body></html>"
WANTS_PAGE = b"Accept: text/html"
DAYS_BEFORE = CUTOVER - timedelta(days=10)


def answering(body: bytes, *fields: bytes, status: bytes = b"200 OK", kind: bytes = b"text/html") -> bytes:
    lines = [
        b"HTTP/1.1 " + status,
        b"Content-Type: " + kind,
        b"Content-Length: %d" % len(body),
        *fields,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def forward(
    serving: Serving,
    originating: Originating,
    answer: bytes,
    request: bytes | None = None,
    *,
    at: datetime = DAYS_BEFORE,
    method: bytes = b"GET",
) -> tuple[Answer, dict[bytes, bytes], Server]:
    """The client's answer, the fields that the origin was asked with, and the server."""
    origin = await originating(answer)
    told = notice(dismissible=True, skip=(parse_path("/app/*"),))
    server = await serving(rulebook(site(origins=(origin.origin,), notice=told)), at=at)
    got = await ask(server, request or get(b"/x", b"po.co", WANTS_PAGE), method)
    return got, {name.lower(): value for name, value in origin.received[0].headers}, server


def outcomes(server: Server) -> dict[str, int]:
    return {outcome: count for (_, outcome), count in server.counts.notices.items()}


async def test_a_page_takes_the_notice_and_nothing_else_changes(serving: Serving, originating: Originating) -> None:
    got, asked, server = await forward(serving, originating, answering(PAGE, b"X-Old: yes"))
    start, end = got.body.index(b"<aside"), got.body.index(b"</aside>") + len(b"</aside>")
    assert got.body[:start] + got.body[end:] == PAGE
    assert got.body[:start].endswith(b"<body class=a>")
    assert b'href="https://www.mi.com/uk/x"' in got.body[start:end]
    assert asked[b"accept-encoding"] == b"identity"
    assert (got.one(b"X-Old"), got.all(b"Content-Length")) == (b"yes", [])
    assert b'<https://www.mi.com/uk/x>; rel="successor-version"' in got.all(b"Link")
    assert outcomes(server) == {"injected": 1}


@pytest.mark.parametrize(
    ("answer", "request_fields", "path", "outcome"),
    [
        (answering(PAGE, kind=b"text/plain"), (), b"/x", "not-html"),
        (answering(PAGE, status=b"404 Not Found"), (), b"/x", "status"),
        (answering(PAGE, b"Content-Disposition: attachment"), (), b"/x", "attachment"),
        (answering(PAGE, b"Cache-Control: no-transform"), (), b"/x", "no-transform"),
        (answering(PAGE), (b"Sec-Fetch-Dest: empty",), b"/x", "subrequest"),
        (answering(PAGE), (b"Range: bytes=0-9",), b"/x", "range"),
        (answering(PAGE), (), b"/app/x", "skipped"),
        (answering(b"\xff\xfe" + PAGE.decode().encode("utf-16-le")), (), b"/x", "charset"),
        (answering(b"<frameset><frame src=a></frameset>"), (), b"/x", "frameset"),
        (answering(PAGE, b"Content-Encoding: unheard-of"), (), b"/x", "encoded"),
    ],
)
async def test_what_takes_no_notice_goes_on_byte_for_byte(
    serving: Serving,
    originating: Originating,
    answer: bytes,
    request_fields: tuple[bytes, ...],
    path: bytes,
    outcome: str,
) -> None:
    got, _, server = await forward(serving, originating, answer, get(path, b"po.co", WANTS_PAGE, *request_fields))
    assert got.body == answer.partition(b"\r\n\r\n")[2]
    assert outcomes(server) == {outcome: 1}


@pytest.mark.parametrize(
    ("coded", "coding"),
    [(gzip.compress(PAGE, mtime=0), b"gzip"), (zlib.compress(PAGE), b"deflate"), (brotli.compress(PAGE), b"br")],
)
async def test_a_page_that_is_compressed_all_the_same_takes_the_notice_too(
    serving: Serving, originating: Originating, coded: bytes, coding: bytes
) -> None:
    answer = answering(coded, b"Content-Encoding: " + coding)
    got, _, _ = await forward(serving, originating, answer, get(b"/x", b"po.co", WANTS_PAGE, b"Accept-Encoding: gzip"))
    assert got.one(b"Content-Encoding") == b"gzip"
    page = gzip.decompress(got.body)
    assert page.count(b"<aside") == 1
    assert page.endswith(b"<p>Old page</p></body></html>")
    plain, _, _ = await forward(serving, originating, answer)
    assert plain.all(b"Content-Encoding") == []
    assert plain.body.count(b"<aside") == 1


async def test_a_bomb_of_a_page_ends_in_an_aborted_connection(serving: Serving, originating: Originating) -> None:
    bomb = brotli.compress(bytes(64 * 1024 * 1024))
    origin = await originating(answering(bomb, b"Content-Encoding: br"))
    server = await serving(rulebook(site(origins=(origin.origin,), notice=notice())), at=DAYS_BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/x", b"po.co", WANTS_PAGE))
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
    assert [reason for _, reason in server.counts.upstream_errors] == ["malformed"]


async def test_head_has_the_fields_of_get(serving: Serving, originating: Originating) -> None:
    request = get(b"/x", b"po.co", WANTS_PAGE, method=b"HEAD")
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\nETag: "a"\r\n\r\n'
    got, _, server = await forward(serving, originating, answer, request, method=b"HEAD")
    assert got.all(b"Content-Length") == []
    assert got.one(b"ETag").startswith(b"W/")
    assert outcomes(server) == {"head": 1}


async def test_an_entity_tag_finds_its_way_back(serving: Serving, originating: Originating) -> None:
    first, _, _ = await forward(serving, originating, answering(PAGE, b'ETag: "abc"'))
    tag = first.one(b"ETag")
    assert tag.startswith(b'W/"')
    again = get(b"/x", b"po.co", WANTS_PAGE, b"If-None-Match: " + tag)
    not_modified = b'HTTP/1.1 304 Not Modified\r\nETag: "abc"\r\n\r\n'
    second, asked, _ = await forward(serving, originating, not_modified, again)
    assert asked[b"if-none-match"] == b'"abc"'
    assert (second.status, second.one(b"ETag")) == (304, tag)
    assert second.one(b"Vary") == first.one(b"Vary")


async def test_what_is_no_page_and_has_not_changed_stays_as_it_is(serving: Serving, originating: Originating) -> None:
    request = get(b"/x.png", b"po.co", b"Accept: image/png", b'If-None-Match: "abc"')
    got, asked, _ = await forward(serving, originating, b'HTTP/1.1 304 Not Modified\r\nETag: "abc"\r\n\r\n', request)
    assert asked[b"if-none-match"] == b'"abc"'
    assert (got.status, got.one(b"ETag"), got.all(b"Vary")) == (304, b'"abc"', [])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<!doctype html><title>Old",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nOld",
    ],
    ids=["none", "broken off", "not in its coding"],
)
async def test_an_origin_that_fails_is_counted_as_such(
    serving: Serving, originating: Originating, answer: bytes
) -> None:
    origin = await originating(answer, reset=True)
    server = await serving(rulebook(site(origins=(origin.origin,), notice=notice())), at=DAYS_BEFORE)
    async with await Client.to(server) as client:
        client.send(get(b"/x", b"po.co", WANTS_PAGE, b"Connection: close"))
        with suppress(ConnectionResetError):
            await client.rest()
    assert outcomes(server) == {"unanswered": 1}


async def test_hidden_the_notice_stays_away(serving: Serving, originating: Originating) -> None:
    page, _, server = await forward(serving, originating, answering(PAGE))
    assert b"Cookie" in page.one(b"Vary")
    hidden = await ask(server, get(b"/.sunset/dismiss?from=/x%3Fa", b"po.co", WANTS_PAGE))
    assert (hidden.status, hidden.one(b"Location")) == (303, b"http://po.co/x?a")
    cookie = hidden.one(b"Set-Cookie").partition(b";")[0]
    again = await ask(server, get(b"/x", b"po.co", WANTS_PAGE, b"Cookie: a=b; " + cookie))
    assert again.body == PAGE
    assert outcomes(server) == {"injected": 1, "dismissed": 1}


@pytest.mark.parametrize("asked", [b"//evil.example/", b"https://evil.example/", b"%2F%2Fevil.example", b"/%5Cevil"])
async def test_hiding_the_notice_never_leads_off_the_site(
    serving: Serving, originating: Originating, asked: bytes
) -> None:
    _, _, server = await forward(serving, originating, answering(PAGE))
    hidden = await ask(server, get(b"/.sunset/dismiss?from=" + asked))
    assert hidden.one(b"Location").startswith(b"http://po.co/")


async def test_the_style_of_the_notice_is_allowed_by_its_hash(serving: Serving, originating: Originating) -> None:
    policy = b"Content-Security-Policy: default-src 'self'"
    got, _, _ = await forward(serving, originating, answering(PAGE, policy))
    assert b"style-src 'self' 'sha256-" in got.one(b"Content-Security-Policy")
    assert b"script-src" not in got.one(b"Content-Security-Policy")


@pytest.mark.parametrize("kind", [b"text/html", b"image/png"])
async def test_no_answer_is_fresh_beyond_the_cutover(serving: Serving, originating: Originating, kind: bytes) -> None:
    answer = answering(PAGE, b"Cache-Control: public, max-age=31536000", kind=kind)
    got, _, _ = await forward(serving, originating, answer, at=CUTOVER - timedelta(minutes=5))
    age = int(got.one(b"Cache-Control").rpartition(b"=")[2])
    assert 290 <= age <= 300


async def test_a_site_without_a_notice_still_tells_when_it_ends(serving: Serving, originating: Originating) -> None:
    origin = await originating(answering(PAGE, b"Cache-Control: max-age=99999999"))
    server = await serving(rulebook(site(origins=(origin.origin,))), at=DAYS_BEFORE)
    got = await ask(server, get(b"/x", b"po.co", WANTS_PAGE))
    assert (got.body, got.one(b"Sunset")) == (PAGE, b"Tue, 31 Dec 2024 00:00:00 GMT")
    assert int(got.one(b"Cache-Control").rpartition(b"=")[2]) <= 10 * 86400


@pytest.mark.parametrize("at", [NOTICE - timedelta(seconds=60), CUTOVER + timedelta(seconds=1)])
async def test_outside_its_phase_there_is_no_notice(serving: Serving, originating: Originating, at: datetime) -> None:
    origin = await originating(answering(PAGE))
    server = await serving(rulebook(site(origins=(origin.origin,), notice=notice(), schedule=SCHEDULE)), at=at)
    got = await ask(server, get(b"/x", b"po.co", WANTS_PAGE))
    assert b"<aside" not in got.body
    assert server.counts.notices == {}


async def test_the_announcement_tells_where_the_asked_page_will_be(serving: Serving, originating: Originating) -> None:
    _, _, server = await forward(serving, originating, answering(PAGE))
    page = await ask(server, get(b"/.sunset/notice?from=/product/x", b"po.co", b"Accept-Language: en"))
    assert page.status == 200
    assert b"https://www.mi.com/uk/product/x" in page.body


async def test_the_banner_is_renewed_at_midnight(serving: Serving, originating: Originating) -> None:
    late = datetime(2024, 12, 20, 23, 59, 50, tzinfo=UTC)
    first, _, server = await forward(serving, originating, answering(PAGE), at=late)
    server.move_to(late + timedelta(seconds=20))
    second = await ask(server, get(b"/x", b"po.co", WANTS_PAGE))
    assert b"11 days" in first.body
    assert b"10 days" in second.body
