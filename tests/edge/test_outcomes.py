"""Every outcome over real sockets: status, fields and body, byte for byte where it matters."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from proxy.core.model import AnswerGone, AnswerNotFound, Https, LocalFile, Rule, Site
from proxy.core.pattern import parse_path
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule, Window
from proxy.edge.server import Server
from tests.edge.peers import Answer, Client, Serving, ask, get
from tests.edge.sites import AFTER, CUTOVER, HOME, NOTICE, PLACE, notice, rule, rulebook, site

DAY = b"Wed, 01 Jan 2025 "
CACHE = (b"Cache-Control", b"public, max-age=3600")
EMPTY = (b"Content-Length", b"0")


@pytest.fixture
async def server(serving: Serving) -> Server:
    return await serving(rulebook(big_site()), at=AFTER)


def big_site(**keys: Any) -> Site:
    rules = (
        rule("/product/f6", "/uk/poco-f6/"),
        Rule(parse_path("/app/*"), AnswerGone(), "/app/*", PLACE, 1, window=Window(CUTOVER)),
        Rule(parse_path("/nothing"), AnswerNotFound(), "/nothing", PLACE, 2, window=Window(CUTOVER)),
    )
    files = {
        b"security.txt": LocalFile(b"Contact: x\n", "text/plain"),
        b"assetlinks.json": LocalFile(b"[]", "application/json"),
    }
    all_keys: dict[str, Any] = {
        "language": "fr",
        "rules": rules,
        "robots": True,
        "sitemap": True,
        "notice": notice(),
        "well_known": MappingProxyType(files),
    } | keys
    return site(**all_keys)


PATHS = [
    b"/",
    b"/a/../b",
    b"/a/./b",
    b"/%zz",
    b"/%7E~",
    b"//x",
    b"//evil.example/",
    b"/\\evil.example",
    b"/%2f%2fevil.example",
    b"/%0d%0aSet-Cookie:x=1",
    b"/%00",
    b"/%0A",
    b"/x?",
    b"/x??a=b?",
    b"/x?a=b&a=c&%zz",
    b"/x;p=1/y",
    b"/x/",
    b"/@evil.example",
    b"/%E4%BD%A0?q=%E4%BD%A0",
    b"/" + b"a" * 8191,
    b'/a|b^c`d{e}"<>',
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_redirect_keeps_the_bytes_of_path_and_query(server: Server, path: bytes) -> None:
    answer = await ask(server, get(path))
    assert answer.status == 301
    assert answer.reason == b"Moved Permanently"
    date, *rest = answer.headers
    assert date[0] == b"Date"
    assert date[1].startswith(DAY)  # a busy machine answers later than in the first second
    assert rest == [(b"Location", b"https://www.mi.com/uk" + path), CACHE, EMPTY]


@pytest.mark.parametrize(
    ("sent", "host", "location"),
    [
        (b"/x#frag", b"po.co", b"https://www.mi.com/uk/x"),
        (b"/product/f6/?c=red", b"PO.CO:8080", b"https://www.mi.com/uk/poco-f6/?c=red"),
        (b"http://po.co/x?y", b"ignored.example", b"https://www.mi.com/uk/x?y"),
        (b"HTTPS://Po.Co:443/x", b"po.co", b"https://www.mi.com/uk/x"),
        (b"http://po.co", b"po.co", b"https://www.mi.com/uk/"),
        (b"http://po.co?x", b"po.co", b"https://www.mi.com/uk/?x"),
        (b"/x", b"www.po.co.", b"https://www.mi.com/uk/x"),
    ],
)
async def test_the_host_picks_the_site(server: Server, sent: bytes, host: bytes, location: bytes) -> None:
    assert (await ask(server, get(sent, host))).one(b"Location") == location


@pytest.mark.parametrize(
    ("method", "status"),
    [(b"GET", 301), (b"HEAD", 301), (b"POST", 308), (b"PUT", 308), (b"DELETE", 308), (b"PROPFIND", 308)],
)
async def test_a_method_stays_what_it_was(server: Server, method: bytes, status: int) -> None:
    answer = await ask(server, get(b"/x", method=method), method)
    assert answer.status == status
    assert answer.body == b""
    assert answer.one(b"Content-Length") == b"0"


async def test_what_a_client_says_of_itself_changes_nothing(server: Server) -> None:
    plain = await ask(server, get(b"/x"))
    fields = (
        b"Cookie: a=b",
        b"User-Agent: x",
        b"X-Forwarded-Host: evil.example",
        b"X-Forwarded-Proto: https",
        b"X-Original-URL: /y",
        b"X-HTTP-Method-Override: DELETE",
        b"Range: bytes=0-1",
        b"If-None-Match: *",
    )
    assert await ask(server, get(b"/x", b"po.co", *fields)) == plain


@pytest.mark.parametrize(
    ("path", "status", "title"), [(b"/app/api/v1", 410, "existe plus"), (b"/nothing", 404, "introuvable")]
)
async def test_a_page_is_in_the_sites_language_and_names_its_new_home(
    server: Server, path: bytes, status: int, title: str
) -> None:
    answer = await ask(server, get(path))
    assert answer.status == status
    assert title in answer.body.decode()
    assert b'href="https://www.mi.com/uk"' in answer.body
    assert answer.one(b"Content-Language") == b"fr"
    assert answer.one(b"Cache-Control") == CACHE[1]
    head = await ask(server, get(path, method=b"HEAD"), b"HEAD")
    assert head.headers == answer.headers
    assert head.body == b""


async def test_a_host_of_no_site_is_misdirected(server: Server) -> None:
    answer = await ask(server, get(b"/x", b"unknown.example"))
    assert answer.status == 421
    assert answer.one(b"Cache-Control") == b"no-store"
    assert b"unknown.example" not in answer.body
    assert not answer.all(b"Location")


async def test_a_path_that_no_site_of_the_host_owns_is_not_found(serving: Serving) -> None:
    server = await serving(rulebook(site(base=b"/uk")), at=AFTER)
    answer = await ask(server, get(b"/ukraine"))
    assert answer.status == 404
    assert answer.one(b"Content-Language") == b"en"


async def test_options_of_the_whole_server(server: Server) -> None:
    answer = await ask(server, get(b"*", method=b"OPTIONS"))
    assert answer.status == 204
    assert b"GET" in answer.one(b"Allow")
    assert not answer.all(b"Content-Length")
    assert (await ask(server, get(b"*", b"unknown.example", method=b"OPTIONS"))).status == 421


LOCAL = {
    b"/robots.txt": (b"text/plain; charset=utf-8", b"User-agent: *\nAllow: /\n\nSitemap: http://po.co/sitemap.xml\n"),
    b"/.well-known/security.txt": (b"text/plain", b"Contact: x\n"),
    b"/.well-known/assetlinks.json": (b"application/json", b"[]"),
}


@pytest.mark.parametrize(("path", "expected"), LOCAL.items(), ids=map(bytes.decode, LOCAL))
async def test_what_is_served_here(server: Server, path: bytes, expected: tuple[bytes, bytes]) -> None:
    answer = await ask(server, get(path))
    assert answer.status == 200
    assert (answer.one(b"Content-Type"), answer.body) == expected
    head = await ask(server, get(path, method=b"HEAD"), b"HEAD")
    assert head.headers == answer.headers


async def test_the_sitemap_is_of_the_host_that_was_asked(server: Server) -> None:
    answer = await ask(server, get(b"/sitemap.xml", b"www.po.co:8080"))
    assert answer.one(b"Content-Type") == b"application/xml; charset=utf-8"
    assert b"<loc>http://www.po.co:8080/product/f6</loc>" in answer.body


async def test_the_announcement_is_a_page(server: Server) -> None:
    answer = await ask(server, get(b"/.sunset/notice"))
    assert answer.status == 200
    assert answer.one(b"Content-Type") == b"text/html; charset=utf-8"
    assert b"<h1>Moving</h1>" in answer.body
    assert (await ask(server, get(b"/.sunset/other"))).status == 404


async def test_an_acme_challenge_is_not_redirected(server: Server) -> None:
    answer = await ask(server, get(b"/.well-known/acme-challenge/token"))
    assert answer.status == 404


async def test_plain_http_goes_to_https_first_where_a_site_says_so(serving: Serving) -> None:
    server = await serving(rulebook(site(https=Https.REDIRECT)), at=AFTER)
    answer = await ask(server, get(b"/x?y=%zz"))
    assert answer.status == 301
    assert answer.one(b"Location") == b"https://po.co/x?y=%zz"


async def test_hsts_is_not_sent_over_plain_http(serving: Serving) -> None:
    server = await serving(rulebook(site(hsts=b"max-age=1", headers=((b"X-A", b"1"),))), at=AFTER)
    answer = await ask(server, get(b"/x"))
    assert not answer.all(b"Strict-Transport-Security")
    assert answer.one(b"X-A") == b"1"


async def test_a_redirect_before_the_cutover_is_temporary(serving: Serving) -> None:
    rules = (rule("/cart/*", "/uk/cart", window=Window(NOTICE)),)
    server = await serving(rulebook(site(rules=rules)), at=NOTICE)
    assert (await ask(server, get(b"/cart/x"))).status == 302
    assert (await ask(server, get(b"/cart/x", method=b"POST"))).status == 307


async def test_a_preview_answers_as_the_site_does(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, preview_suffix=".localhost")
    assert (await ask(server, get(b"/x", b"po.co.localhost:8080"))).one(b"Location") == b"https://www.mi.com/uk/x"
    assert (await ask(server, get(b"/x", b"po.co"))).status == 301
    assert (await ask(server, get(b"/x", b"localhost"))).status == 421


async def test_http_1_0_gets_its_answer_and_the_connections_end(server: Server) -> None:
    async with await Client.to(server) as client:
        client.send(b"GET /x HTTP/1.0\r\nHost: po.co\r\nConnection: keep-alive\r\n\r\n")
        answer = await client.answer()
        assert answer.status == 301
        assert answer.one(b"Connection") == b"close"
        assert await client.rest() == b""


async def test_a_connection_goes_on_until_the_client_ends_it(server: Server) -> None:
    async with await Client.to(server) as client:
        for _ in range(3):
            client.send(get(b"/x"))
            assert not (await client.answer()).all(b"Connection")
        client.send(get(b"/x", b"po.co", b"Connection: close"))
        assert (await client.answer()).one(b"Connection") == b"close"
        assert await client.rest() == b""


async def test_no_answer_of_ours_sets_a_cookie_or_names_its_software(server: Server) -> None:
    for path in (b"/x", b"/app/x", b"/robots.txt", b"/.sunset/notice", b"/.sunset/x"):
        answer: Answer = await ask(server, get(path))
        assert not answer.all(b"Set-Cookie")
        assert not answer.all(b"Server")
        assert len(answer.all(b"Date")) == 1


async def test_a_site_without_a_schedule_redirects_and_one_past_its_end_is_gone(serving: Serving) -> None:
    ended = Schedule({"cutover": CUTOVER, "end": datetime(2025, 1, 1, tzinfo=UTC)})
    book = Rulebook([site(schedule=Schedule()), site("old", hosts=("old.co",), schedule=ended, moves_to=HOME)])
    server = await serving(book, at=AFTER)
    assert (await ask(server, get(b"/x"))).status == 301
    assert (await ask(server, get(b"/x", b"old.co"))).status == 410
