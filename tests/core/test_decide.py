"""The ladder from request to outcome, on one small site at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from proxy.core.challenge import token_of
from proxy.core.decision import BadRequest, Decision, Forward, Gone, Local, Misdirected, NotFound, Redirect, Resource
from proxy.core.kind import Kind
from proxy.core.mapping import MappingFile, MappingTable
from proxy.core.model import (
    Action,
    AnswerGone,
    AnswerNotFound,
    Https,
    KeepPath,
    LocalFile,
    Notice,
    Origin,
    PassOn,
    RedirectTo,
    Rule,
    Site,
)
from proxy.core.pattern import RegexPattern, parse_path
from proxy.core.query import KEEP_NONE, Condition, KeepQuery
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule, Window
from proxy.core.target import parse_target
from proxy.errors import Place

NOTICE = datetime(2024, 10, 9, tzinfo=UTC)
CUTOVER = datetime(2024, 12, 31, tzinfo=UTC)
HOME = parse_target("https://www.mi.com/uk")
SCHEDULE = Schedule(MappingProxyType({"notice": NOTICE, "cutover": CUTOVER}))
SITE = Site(
    "uk",
    ("po.co",),
    Place("uk.yaml", 1, 1),
    base=b"/uk",
    schedule=SCHEDULE,
    moves_to=HOME,
    unmapped=KeepPath(),
    origins=(Origin("https", "old.example", 443),),
)


def rule(path: str, to: str | Action, order: int = 0, **more: Any) -> Rule:
    """A rule in force from the cutover on, unless `more` names another window."""
    pattern = RegexPattern(path, re.compile(path.encode()), b"/uk/") if path.startswith("^") else parse_path(path)
    action = RedirectTo(parse_target(to, HOME)) if isinstance(to, str) else to
    return replace(Rule(pattern, action, path, Place("uk.yaml", 10 + order, 5), order, window=Window(CUTOVER)), **more)


def decide(  # one site, one request
    site: Site,
    target: str | bytes,
    *,
    at: datetime = CUTOVER,
    host: bytes = b"po.co",
    method: bytes = b"GET",
    secure: bool = True,
) -> Decision:
    raw = target.encode() if isinstance(target, str) else target
    return Rulebook([site], ["www.mi.com"]).at(at).decide(host, raw, method, secure)


def location(decision: Decision) -> str:
    assert isinstance(decision, Redirect), decision
    return decision.location.decode()


@pytest.mark.parametrize(
    ("moves_to", "base", "target", "expected"),
    [
        ("https://www.mi.com/uk", b"/uk", "/uk", "https://www.mi.com/uk"),
        ("https://www.mi.com/uk", b"/uk", "/uk/", "https://www.mi.com/uk/"),
        ("https://www.mi.com/uk/", b"/uk", "/uk", "https://www.mi.com/uk"),
        ("https://www.mi.com/uk", b"/uk", "/uk?", "https://www.mi.com/uk?"),
        ("https://www.mi.com", b"/uk", "/uk", "https://www.mi.com/"),
        ("https://www.mi.com", b"/uk", "/uk?a=1", "https://www.mi.com/?a=1"),
        ("https://www.mi.com/", b"", "/", "https://www.mi.com/"),
        ("https://www.mi.com", b"", "//evil.example/..", "https://www.mi.com//evil.example/.."),
        ("https://www.mi.com", b"", "/\\evil.example", "https://www.mi.com/\\evil.example"),
        ("https://www.mi.com", b"", "/.evil.example", "https://www.mi.com/.evil.example"),
        ("https://www.mi.com", b"", "/@evil.example", "https://www.mi.com/@evil.example"),
        (
            "https://www.mi.com/uk",
            b"/uk",
            "/uk/%7E/./%zz?q=%E4%BD%A0#frag",
            "https://www.mi.com/uk/%7E/./%zz?q=%E4%BD%A0",
        ),
        ("https://www.mi.com/uk", b"/uk", "/%75k/%0d%0aSet-Cookie:x", "https://www.mi.com/uk/%0d%0aSet-Cookie:x"),
        ("https://www.mi.com/uk", b"/uk", "http://PO.co:80/uk/x", "https://www.mi.com/uk/x"),
    ],
)
def test_path_and_query_are_kept_byte_for_byte(moves_to: str, base: bytes, target: str, expected: str) -> None:
    assert location(decide(replace(SITE, moves_to=parse_target(moves_to), base=base), target)) == expected


@pytest.mark.parametrize("target", ["/ukraine", "/u", "/", "/UK/x", "/api%2e%2e/uk", "/x/../uk", "/uk%2Fx"])
def test_a_base_ends_where_a_segment_ends(target: str) -> None:
    assert decide(SITE, target) == NotFound(None)


@pytest.mark.parametrize(
    ("host", "target", "method", "status"),
    [
        (b"po.co", b"/uk", b"CONNECT", 405),
        (b"po.co", b"/uk", b"TRACE", 405),
        (b"po.co", b"po.co:443", b"CONNECT", 405),
        (b"po.co", b"/uk/" + b"a" * 8192, b"GET", 414),
        (b"po.co", "/uk/ü".encode(), b"GET", 400),
        (b"po.co", b"/uk?\xff", b"GET", 400),
        (b"po.co", b"", b"GET", 400),
        (b"po.co", b"uk", b"GET", 400),
        (b"po.co", b"*", b"GET", 400),
        (b"po.co", b"/uk /x", b"GET", 400),
        (b"po.co", b"/uk\r\nX: y", b"GET", 400),
        (b"po.co", b"/uk\x00", b"GET", 400),
        (b"po.co", b"pany://po.co/uk", b"GET", 400),
        (b"po.co", b"ftp://po.co/uk", b"GET", 400),
        (b"po.co", b"http://user@po.co/uk", b"GET", 400),
        (b"po.co", b"http:///uk", b"GET", 400),
        (b"", b"/uk", b"GET", 400),
        (b"po.co:99999", b"/uk", b"GET", 400),
        (b"po.co@evil.example", b"/uk", b"GET", 400),
        (b"a,b", b"*", b"OPTIONS", 400),
    ],
)
def test_what_is_malformed_is_a_bad_request(host: bytes, target: bytes, method: bytes, status: int) -> None:
    decision = decide(SITE, target, host=host, method=method)
    assert isinstance(decision, BadRequest)
    assert decision.status == status


def test_a_host_of_no_site_is_misdirected() -> None:
    assert decide(SITE, "/uk", host=b"Other.example:80") == Misdirected(b"other.example")
    assert decide(SITE, "*", host=b"other.example", method=b"OPTIONS") == Misdirected(b"other.example")


def test_the_authority_of_an_absolute_target_goes_before_the_host() -> None:
    assert decide(SITE, "http://other.example/uk") == Misdirected(b"other.example")
    assert location(decide(SITE, "https://po.co/uk/x", host=b"other.example")) == "https://www.mi.com/uk/x"


def test_options_asks_the_server_itself() -> None:
    assert decide(SITE, "*", method=b"OPTIONS") == Local(None, Resource.OPTIONS, b"")


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, b"GET", 301),
        (301, b"HEAD", 301),
        (301, b"POST", 308),
        (302, b"PUT", 307),
        (303, b"POST", 303),
        (307, b"GET", 307),
        (308, b"OPTIONS", 308),
    ],
)
def test_a_method_stays_what_it_was(status: int, method: bytes, expected: int) -> None:
    decision = decide(replace(SITE, status=status), "/uk/x", method=method)
    assert isinstance(decision, Redirect)
    assert decision.status == expected


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (CUTOVER - timedelta(seconds=1), 302),
        (CUTOVER, 302),
        (CUTOVER + timedelta(days=30, microseconds=-1), 302),
        (CUTOVER + timedelta(days=30), 301),
    ],
)
def test_a_redirect_is_temporary_before_the_cutover_and_within_its_soak(at: datetime, status: int) -> None:
    site = replace(
        SITE, schedule=replace(SCHEDULE, soak=timedelta(days=30)), rules=(rule("/uk/c", "/uk/d", window=Window()),)
    )
    decision = decide(site, "/uk/c", at=at)
    assert isinstance(decision, Redirect)
    assert decision.status == status


def test_a_rule_that_names_a_status_has_it_at_any_time() -> None:
    action = RedirectTo(parse_target("/uk/d", HOME), status=301)
    site = replace(SITE, rules=(rule("/uk/c", action, window=Window()),))
    for at, method, status in ((NOTICE, b"GET", 301), (CUTOVER, b"GET", 301), (NOTICE, b"POST", 308)):
        decision = decide(site, "/uk/c", at=at, method=method)
        assert isinstance(decision, Redirect)
        assert decision.status == status


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOTICE - timedelta(microseconds=1), (False, None)),
        (NOTICE, (True, b"https://www.mi.com/uk/x?a")),
        (CUTOVER - timedelta(microseconds=1), (True, b"https://www.mi.com/uk/x?a")),
    ],
)
def test_until_the_cutover_a_site_is_forwarded(at: datetime, expected: tuple[bool, bytes | None]) -> None:
    decision = decide(replace(SITE, notice=Notice("moving")), "/uk/x?a", at=at)
    assert isinstance(decision, Forward)
    assert (decision.notice, decision.successor) == expected


def test_no_notice_is_shown_where_the_site_skips_it() -> None:
    site = replace(SITE, notice=Notice("moving", skip=(parse_path("/uk/app/*"), parse_path("/uk/{x}/raw"))))
    shown = {path: decide(site, path, at=NOTICE) for path in ("/uk/app", "/uk/app/x", "/uk/a/raw/", "/uk/apps", "/uk")}
    assert {path: isinstance(one, Forward) and one.notice for path, one in shown.items()} == {
        "/uk/app": False,
        "/uk/app/x": False,
        "/uk/a/raw/": False,
        "/uk/apps": True,
        "/uk": True,
    }


def test_the_notice_phase_tells_when_the_site_ends() -> None:
    decision = decide(replace(SITE, notice=Notice("moving", pages={"en": "# Moving"})), "/uk/x", at=NOTICE)
    assert isinstance(decision, Forward)
    assert decision.cause.headers == (
        (b"Sunset", b"Tue, 31 Dec 2024 00:00:00 GMT"),
        (b"Deprecation", b"@1728432000"),
        (b"Link", b'</uk/.sunset/notice>; rel="sunset"'),
    )


def test_a_passed_through_site_is_forwarded_for_ever_without_a_header() -> None:
    site = replace(SITE, pass_through=True, schedule=Schedule(), headers=((b"X", b"y"),), https=Https.REDIRECT)
    decision = decide(site, "/uk/.sunset/notice", at=CUTOVER + timedelta(days=3650), secure=False)
    assert isinstance(decision, Forward)
    assert (decision.notice, decision.successor, decision.cause.headers) == (False, None, ())


def test_after_its_end_a_site_is_gone_with_everything_in_it() -> None:
    schedule = Schedule(MappingProxyType({"cutover": CUTOVER, "end": CUTOVER + timedelta(days=1)}))
    site = replace(SITE, schedule=schedule, rules=(rule("/uk/c", "/uk/d"),), robots=True)
    assert isinstance(decide(site, "/uk/c", at=CUTOVER), Redirect)
    assert isinstance(decide(site, "/uk/c", at=CUTOVER + timedelta(days=1)), Gone)


def test_without_a_cutover_a_schedule_forwards_for_ever() -> None:
    site = replace(SITE, schedule=Schedule(MappingProxyType({"notice": NOTICE})), rules=(rule("/uk/c", "/uk/d"),))
    site = replace(site, rules=(replace(site.rules[0], window=site.schedule.after_cutover),))
    for at in (NOTICE, datetime.max.replace(tzinfo=UTC)):
        decision = decide(site, "/uk/c", at=at)
        assert isinstance(decision, Forward)
        assert decision.successor is None


RULES = (
    rule("/uk/a/b", "/exact", 0),
    rule("/uk/a/{x}", "/capture/{x}", 1),
    rule("/uk/{x}/b", "/later-capture/{x}", 2),
    rule(r"^/uk/a/b(\d+)/?$", "/regex/{1}", 3),
    rule(r"^/uk/r/(.*)$", "/regex-1/{1}", 4),
    rule(r"^/uk/r/(a)$", "/regex-2/{1}", 5),
    rule("/uk/t/*", "/tail/{*}", 6),
    rule("/uk/t/u/*", "/longer/{*}", 7),
    rule("/uk/{x}/u/*", "/captured-tail/{x}/{*}", 8),
    rule("/uk/i", "/plain", 9),
    rule("/uk/i", "/any", 10, conditions=(Condition(b"id"),)),
    rule("/uk/i", "/seven", 11, conditions=(Condition(b"id", b"7"),)),
    rule("/uk/i", "/both", 12, conditions=(Condition(b"id"), Condition(b"x", b"1"))),
    rule("/uk/i", "/taken/{id}?v={id}", 13, conditions=(Condition(b"cap", capture="id"),)),
    rule("/uk/i", "/posted", 14, methods=frozenset({b"POST"})),
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/uk/a/b", "/exact"),
        ("/uk/a/b/", "/exact"),
        ("/uk/a/c%2f", "/capture/c%2f"),
        ("/uk/z/b", "/later-capture/z"),
        ("/uk/a/b7", "/capture/b7"),
        ("/uk/a/b7/", "/capture/b7"),
        ("/uk/r/a", "/regex-1/a"),
        ("/uk/t", "/tail/"),
        ("/uk/t/", "/tail/"),
        ("/uk/t/x/y/", "/tail/x/y/"),
        ("/uk/t//x", "/tail//x"),
        ("/uk/t/u/x", "/longer/x"),
        ("/uk/z/u", "/captured-tail/z/"),
        ("/uk//u", "/uk//u"),
        ("/uk/i", "/plain"),
        ("/uk/i?y=1", "/plain?y=1"),
        ("/uk/i?id=1&y=%41", "/any?y=%41"),
        ("/uk/i?id=%37", "/seven"),
        ("/uk/i?id=7&id=8", "/seven"),
        ("/uk/i?id=8&id=7", "/any"),
        ("/uk/i?x=1&id=7", "/both"),
        ("/uk/i?id", "/any"),
        ("/uk/i?cap=a+b%26", "/taken/a%20b%26?v=a%20b%26"),
        ("/uk/i?cap=../..", "/taken/..%2F..?v=..%2F.."),
    ],
)
def test_the_more_specific_rule_wins(target: str, expected: str) -> None:
    assert location(decide(replace(SITE, rules=RULES), target)) == "https://www.mi.com" + expected


def test_a_named_method_wins_and_other_methods_do_not_see_it() -> None:
    site = replace(SITE, rules=RULES)
    assert location(decide(site, "/uk/i", method=b"POST")) == "https://www.mi.com/posted"
    assert location(decide(site, "/uk/i", method=b"PUT")) == "https://www.mi.com/plain"


def test_rules_only_hold_within_their_window() -> None:
    early = rule("/uk/c", "/early", 0, window=Window(NOTICE, CUTOVER))
    late = rule("/uk/c", "/late", 1)
    site = replace(SITE, rules=(early, late))
    assert isinstance(decide(site, "/uk/c", at=NOTICE - timedelta(microseconds=1)), Forward)
    assert location(decide(site, "/uk/c", at=NOTICE)) == "https://www.mi.com/early"
    assert location(decide(site, "/uk/c", at=CUTOVER - timedelta(microseconds=1))) == "https://www.mi.com/early"
    assert location(decide(site, "/uk/c", at=CUTOVER)) == "https://www.mi.com/late"


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/uk/a", "/one"), ("/uk/a/", "/two"), ("/uk/a/b", "/three/b"), ("/uk/a/b/", "/three/b/"), ("/uk", "/uk")],
)
def test_where_slashes_matter_a_path_its_slash_and_its_tail_are_three_things(target: str, expected: str) -> None:
    rules = (
        rule("/uk/a", "/one", 0, match_slash=True),
        rule("/uk/a/", "/two", 1, match_slash=True),
        rule("/uk/a/*", "/three/{*}", 2, match_slash=True),
    )
    for site in (replace(SITE, rules=rules), replace(SITE, rules=rules, match_slash=True)):
        assert location(decide(site, target)) == "https://www.mi.com" + expected


def test_a_site_that_folds_case_keeps_the_case_of_captures() -> None:
    site = replace(SITE, match_case=False, rules=(rule("/uk/News/{slug}", "/n/{slug}"),))
    assert location(decide(site, "/UK/NEWS/Some-Title")) == "https://www.mi.com/n/Some-Title"
    assert location(decide(site, "/UK/Other")) == "https://www.mi.com/uk/Other"


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (KeepQuery(), "?utm_a=1&B=%20&c"),
        (KEEP_NONE, ""),
        (KeepQuery(keep=("c", "B")), "?B=%20&c"),
        (KeepQuery(drop=("utm_*",)), "?B=%20&c"),
        (KeepQuery(drop=("*",)), ""),
    ],
)
def test_what_is_kept_of_a_query(keep: KeepQuery, expected: str) -> None:
    site = replace(SITE, keep_query=keep, rules=(rule("/uk/f", "/g"),))
    for target, path in (("/uk/x", "/uk/x"), ("/uk/f", "/g")):
        assert location(decide(site, target + "?utm_a=1&B=%20&c")) == "https://www.mi.com" + path + expected


@pytest.mark.parametrize(
    ("unmapped", "outcome"), [(AnswerGone(), Gone), (AnswerNotFound(), NotFound), (PassOn(), Forward)]
)
def test_what_no_rule_matches_is_as_the_site_says(unmapped: Action, outcome: type) -> None:
    assert isinstance(decide(replace(SITE, unmapped=unmapped), "/uk/x"), outcome)


def test_a_mapping_leads_to_its_row_and_names_its_line() -> None:
    text = b"\n/uk/old https://www.mi.com/new#part\n/uk/older 302 https://www.mi.com/newer\n"
    site = replace(SITE, mappings=MappingTable(text, [MappingFile("maps/uk.csv", 0, [2, 5])]))
    decision = decide(site, "/uk/old/?a=1")
    assert isinstance(decision, Redirect)
    assert (decision.status, decision.location) == (301, b"https://www.mi.com/new?a=1#part")
    assert (decision.cause.kind, str(decision.place)) == (Kind.MAPPING, "maps/uk.csv:2:1")
    older = decide(site, "/uk/older", method=b"POST")
    assert isinstance(older, Redirect)
    assert (older.status, str(older.place)) == (307, "maps/uk.csv:5:1")
    assert isinstance(decide(site, "/uk/old", at=NOTICE), Forward)


@pytest.mark.parametrize(
    ("host", "path", "site"),
    [
        (b"a.po.co", b"/x", "name"),
        (b"b.po.co", b"/x", "wild"),
        (b"x.b.po.co", b"/x", "wild-b"),
        (b"y.x.b.po.co", b"/x", "wild-b"),
        (b"a.po.co", b"/deep/x", "wild-deep"),
        (b"x.b.po.co", b"/deep", "wild-deep"),
        (b"po.co", b"/x", None),
    ],
)
def test_a_name_goes_before_a_wildcard_and_a_longer_wildcard_before_a_shorter(
    host: bytes, path: bytes, site: str | None
) -> None:
    def one(name: str, written: str, base: bytes = b"") -> Site:
        return Site(name, (written,), SITE.place, base=base, moves_to=HOME, unmapped=KeepPath())

    sites = [
        one("name", "a.po.co", b"/x"),
        one("wild", "*.po.co"),
        one("wild-b", "*.b.po.co", b"/x"),
        one("wild-deep", "*.po.co", b"/deep"),
    ]
    decision = Rulebook(sites, ["www.mi.com"]).at(CUTOVER).decide(host, path)
    assert (decision.cause.site.name if isinstance(decision, Redirect) else None) == site


def test_what_stood_for_a_wildcard_can_go_into_the_target() -> None:
    home = parse_target("https://{*host}.mi.com")
    site = Site("all", ("*.po.co",), SITE.place, moves_to=home, unmapped=KeepPath())
    site = replace(site, rules=(rule("/r/{x}", RedirectTo(parse_target("/{*host}/{x}", home))),))
    assert location(decide(site, "/a?b", host=b"Shop.UK.po.co:80")) == "https://shop.uk.mi.com/a?b"
    assert location(decide(site, "/r/q", host=b"shop.po.co")) == "https://shop.mi.com/shop/q"


def test_plain_http_goes_to_https_on_the_same_host_first_where_the_site_says_so() -> None:
    site = replace(SITE, https=Https.REDIRECT, hsts=b"max-age=31536000")
    decision = decide(site, "/uk/%7e?x", secure=False)
    assert isinstance(decision, Redirect)
    assert (decision.status, decision.location) == (301, b"https://po.co/uk/%7e?x")
    assert (b"Strict-Transport-Security", b"max-age=31536000") not in decision.cause.headers
    assert (b"Strict-Transport-Security", b"max-age=31536000") in decision.cause.secure_headers
    assert location(decide(site, "/uk/%7e?x")) == "https://www.mi.com/uk/%7e?x"
    early = decide(site, "/uk/x", secure=False, at=NOTICE, method=b"POST")
    assert isinstance(early, Redirect)
    assert (early.status, early.location) == (307, b"https://po.co/uk/x")


@pytest.mark.parametrize("secure", [True, False])
def test_an_acme_challenge_is_never_redirected(*, secure: bool) -> None:
    everything = rule("/*", RedirectTo(parse_target("https://www.mi.com/")), window=Window())
    site = replace(SITE, base=b"", https=Https.REDIRECT, rules=(everything,))
    decision = decide(site, "/.well-known/acme-challenge/token", secure=secure)
    assert isinstance(decision, Local)
    assert decision.resource is Resource.ACME_CHALLENGE
    for at in (NOTICE, NOTICE - timedelta(days=1)):
        forwarded = decide(site, "/.well-known/acme-challenge/token", at=at, secure=secure)
        assert isinstance(forwarded, Forward)
        assert not forwarded.notice


TOKEN = b"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"


@pytest.mark.parametrize(
    ("target", "token"),
    [
        (b"/.well-known/acme-challenge/" + TOKEN, TOKEN.decode()),
        (b"/.well-known/acme-challenge/" + TOKEN + b"/", None),
        (b"/.well-known/acme-challenge/" + TOKEN + b"?x", None),
        (b"/.well-known/acme-challenge/" + b"x" * 21, None),
        (b"/.well-known/acme-challenge/" + b"x" * 129, None),
        (b"/.well-known/acme-challenge/../" + TOKEN, None),
        (b"/.well-known/acme-challenge/" + TOKEN[:-1] + b".", None),
        (b"/.well-known/acme-challenge/" + TOKEN + b"\n", None),
        (b"/.well-known/acme-challenge/", None),
        (b"/" + TOKEN, None),
    ],
)
def test_a_token_is_of_its_alphabet_and_of_some_length(target: bytes, token: str | None) -> None:
    assert token_of(target) == token


@pytest.mark.parametrize(
    ("path", "at", "resource"),
    [
        ("/robots.txt", CUTOVER, Resource.ROBOTS),
        ("/robots.txt", NOTICE, None),
        ("/sitemap.xml", CUTOVER, Resource.SITEMAP),
        ("/.well-known/security.txt", CUTOVER, Resource.WELL_KNOWN),
        ("/.well-known/security.txt", NOTICE - timedelta(days=1), Resource.WELL_KNOWN),
        ("/.well-known/other.txt", CUTOVER, None),
        ("/.sunset/notice", NOTICE, Resource.NOTICE),
        ("/.sunset/dismiss", NOTICE, Resource.DISMISS),
        ("/.sunset/dismiss", CUTOVER, None),
        ("/.sunset/notice", CUTOVER, Resource.NOTICE),
        ("/.sunset/notice", NOTICE - timedelta(microseconds=1), None),
    ],
)
def test_some_things_are_served_here(path: str, at: datetime, resource: Resource | None) -> None:
    site = replace(
        SITE,
        base=b"",
        robots=True,
        sitemap=True,
        well_known=MappingProxyType({b"security.txt": LocalFile(b"Contact: x", "text/plain")}),
        notice=Notice("moving", pages={"en": "# Moving"}, dismissible=True),
    )
    decision = decide(site, path, at=at)
    assert (decision.resource if isinstance(decision, Local) else None) is resource


def test_the_folder_of_sunset_itself_is_never_forwarded_once_the_notice_is_up() -> None:
    assert isinstance(decide(SITE, "/uk/.sunset/other", at=NOTICE), NotFound)
    assert isinstance(decide(SITE, "/uk/.sunset/notice", at=CUTOVER), NotFound)


def test_a_date_is_local_to_the_asked_site() -> None:
    jakarta = ZoneInfo("Asia/Jakarta")
    midnight = datetime(2024, 12, 31, tzinfo=jakarta).astimezone(UTC)
    site = replace(SITE, timezone=jakarta, schedule=Schedule(MappingProxyType({"cutover": midnight})))
    rulebook = Rulebook([site, replace(SITE, name="utc", hosts=("utc.example",))], ["www.mi.com"])
    midnight_on_the_wall = CUTOVER.replace(tzinfo=None)
    for wall, outcome in ((midnight_on_the_wall, Redirect), (midnight_on_the_wall - timedelta(seconds=1), Forward)):
        for host in (b"po.co", b"utc.example"):
            assert isinstance(rulebook.at_local(wall).decide(host, b"/uk"), outcome)


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an offset"):
        Rulebook([SITE]).at(CUTOVER.replace(tzinfo=None))


def test_a_preview_suffix_makes_every_host_known_by_another_name() -> None:
    table = Rulebook([SITE, replace(SITE, name="w", hosts=("*.w.po.co",))]).at(CUTOVER, preview_suffix=".localhost")
    for host in (b"po.co", b"po.co.localhost:8080", b"x.w.po.co.localhost"):
        assert isinstance(table.decide(host, b"/uk/x"), Redirect)
