"""Site files and rulebook.yaml: every key, and what the core is told of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from proxy.core.model import (
    AnswerGone,
    AnswerNotFound,
    HostSent,
    Https,
    KeepPath,
    Origin,
    OriginFailure,
    OriginTls,
    PassOn,
    RedirectTo,
    Rule,
    Site,
)
from proxy.core.pattern import PathPattern, RegexPattern
from proxy.core.query import KEEP_ALL, KEEP_NONE, Condition, KeepQuery
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Window
from proxy.rulebook.form import PER_SITE, DefaultsForm, SiteForm

BARE = "site: s\nhosts: [old.example]\n"
MOVES = BARE + "moves_to: https://new.example/en\n"
DATED = MOVES + "origin: https://legacy.example\ntimezone: UTC\nschedule: {shop: 2030-01-01, cutover: 2030-02-01}\n"

Load = Callable[..., Rulebook]
Refused = Callable[..., list[str]]


def instant(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
def site(load_files: Load) -> Callable[[str], Site]:
    return lambda text: load_files(text).sites[0]


@pytest.fixture
def rule(load_files: Load) -> Callable[..., Rule]:
    def one(text: str, head: str = MOVES) -> Rule:
        return load_files(f"{head}rules:\n  - {text}\n").sites[0].rules[0]

    return one


def test_a_name_and_hosts_are_enough(site: Callable[[str], Site]) -> None:
    bare = site(BARE)
    assert (bare.name, bare.hosts, bare.base, bare.language, bare.timezone) == ("s", ("old.example",), b"", "en", UTC)
    assert (bare.unmapped, bare.status, bare.cache, bare.keep_query) == (AnswerGone(), 301, 3600, KEEP_ALL)
    assert (bare.match_case, bare.match_slash, bare.https, bare.hsts) == (True, False, Https.ALLOW, b"")
    assert not bare.schedule.milestones
    assert str(bare.place) == "rules/s.yaml:1:1"


@pytest.mark.parametrize(
    ("written", "key", "value"),
    [
        ("base: /uk", "base", b"/uk"),
        ("base: /uk/", "base", b"/uk"),
        ("base: /", "base", b""),
        ("base: /caf%c3%a9", "base", b"/caf%C3%A9"),
        ("base: /café/%7Ea", "base", b"/caf%C3%A9/~a"),
        ("hosts: ['*.Old.Example', OLD.example]", "hosts", ("*.old.example", "old.example")),
        ("hosts: [xn--bcher-kva.example]", "hosts", ("xn--bcher-kva.example",)),
        ("language: zh-Hant-TW", "language", "zh-Hant-TW"),
        ("timezone: Asia/Jakarta", "timezone", ZoneInfo("Asia/Jakarta")),
        ("origin: https://legacy.example", "origins", (Origin("https", "legacy.example", 443),)),
        ("origin: http://Legacy.example:8080/", "origins", (Origin("http", "legacy.example", 8080),)),
        ("origin: http://10.0.0.1", "origins", (Origin("http", "10.0.0.1", 80),)),
        ("origin: https://[2001:DB8::1]:8443", "origins", (Origin("https", "2001:db8::1", 8443),)),
        ("host: origin", "host", HostSent.ORIGIN),
        ("host: keep", "host", HostSent.KEEP),
        ("origin_tls: {name: legacy.internal}", "origin_tls", OriginTls("legacy.internal")),
        ("origin_tls: {verify: false}", "origin_tls", OriginTls(verify=False)),
        ("when_origin_fails: redirect", "when_origin_fails", OriginFailure.REDIRECT),
        (
            "origin: [http://a.example, http://b.example]",
            "origins",
            (Origin("http", "a.example", 80), Origin("http", "b.example", 80)),
        ),
        (
            "origin_networks: [10.0.0.0/8, 'fd00::/8']",
            "origin_networks",
            (ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        ),
        ("status: 308", "status", 308),
        ("cache: 5m", "cache", 300),
        ("cache: 0", "cache", 0),
        ("match_case: false", "match_case", False),
        ("match_slash: true", "match_slash", True),
        ("https: redirect", "https", Https.REDIRECT),
        ("hsts: 1w", "hsts", b"max-age=604800"),
        (
            "hsts: {max_age: 365d, include_subdomains: true, preload: true}",
            "hsts",
            b"max-age=31536000; includeSubDomains; preload",
        ),
        ("hsts: {max_age: 1, preload: false}", "hsts", b"max-age=1"),
        ("robots: true", "robots", True),
        ("sitemap: true", "sitemap", True),
        ("headers: {X-A: b, x-c: 'dé'}", "headers", ((b"X-A", b"b"), (b"x-c", b"d\xe9"))),
        ("keep_query: false", "keep_query", KEEP_NONE),
        ("keep_query: []", "keep_query", KEEP_NONE),
        ("keep_query: [a, 'b_*']", "keep_query", KeepQuery(keep=("a", "b_*"))),
        ("keep_query: {drop: ['utm_*']}", "keep_query", KeepQuery(drop=("utm_*",))),
        ("unmapped: gone", "unmapped", AnswerGone()),
        ("unmapped: not-found", "unmapped", AnswerNotFound()),
    ],
)
def test_a_key_says_what_it_says(site: Callable[[str], Site], written: str, key: str, value: object) -> None:
    name = written.partition(":")[0]
    kept = "".join(line + "\n" for line in BARE.splitlines() if not line.startswith(name + ":"))
    assert getattr(site(kept + written + "\n"), key) == value


@pytest.mark.parametrize("unmapped", ["", "unmapped: keep-path\n"])
def test_where_a_site_moves_its_paths_are_kept(site: Callable[[str], Site], unmapped: str) -> None:
    moved = site(MOVES + unmapped)
    assert moved.unmapped == KeepPath()
    assert moved.moves_to is not None
    assert moved.moves_to.base({}) == b"https://new.example/en"


@pytest.mark.parametrize(
    ("unmapped", "location"),
    [("https://new.example/x", b"https://new.example/x"), ("/bye", b"https://new.example/bye")],
)
def test_what_is_unmapped_may_have_a_target(site: Callable[[str], Site], unmapped: str, location: bytes) -> None:
    action = site(f"{MOVES}unmapped: {unmapped}\n").unmapped
    assert isinstance(action, RedirectTo)
    assert action.target.fixed == location


def test_milestones_are_local_to_the_site(site: Callable[[str], Site]) -> None:
    schedule = site(
        f"{MOVES}origin: https://legacy.example\ntimezone: Asia/Jakarta\nsoak: 30d\n"
        "schedule:\n  notice: 2030-01-01\n  shop-closed: 2030-01-05T12:00Z\n  cutover: '2030-02-01 08:00'\n"
        "  end: 2031-01-01\n"
    ).schedule
    assert schedule.milestones == {
        "notice": instant(2029, 12, 31, 17),
        "shop-closed": instant(2030, 1, 5, 12),
        "cutover": instant(2030, 2, 1, 1),
        "end": instant(2030, 12, 31, 17),
    }
    assert schedule.soak == timedelta(days=30)


def test_a_pass_through_site_needs_an_origin_and_ignores_defaults_for_others(load_files: Load) -> None:
    frame = (
        "targets: [new.example]\ndefaults:\n  timezone: Asia/Jakarta\n  language: id\n"
        "  origin: https://legacy.example\n  moves_to: https://new.example\n  unmapped: gone\n"
        "  schedule: {cutover: 2030-01-01, end: 2029-01-01}\n"
        "  notice: {message: 'until {cutover}'}\n  headers: {X-A: b}\n  hsts: 1d\n  https: redirect\n  robots: true\n"
    )
    text = "site: s\nhosts: [old.example]\npass_through: true\n"
    site = load_files({"rulebook.yaml": frame, "s.yaml": text}).sites[0]
    assert site.pass_through
    assert (site.origins, site.language) == ((Origin("https", "legacy.example", 443),), "id")
    assert (site.moves_to, site.notice, site.headers, site.hsts, site.https) == (None, None, (), b"", Https.ALLOW)
    assert not site.schedule.milestones
    assert not site.robots


def test_well_known_files_have_types(load_files: Load) -> None:
    names = {
        "security.txt": "text/plain; charset=utf-8",
        "assetlinks.json": "application/json",
        "apple-app-site-association": "application/json",
        "openpgpkey/policy": "application/octet-stream",
    }
    text = BARE + "well_known:\n" + "".join(f"  {name}: files/{at}\n" for at, name in enumerate(names))
    site = load_files({"s.yaml": text} | {f"files/{at}": f"{at}" for at in range(4)}).sites[0]
    assert {name.decode(): file.content_type for name, file in site.well_known.items()} == names
    assert site.well_known[b"assetlinks.json"].content == b"1"


def test_a_notice_has_texts_and_a_page(load_files: Load) -> None:
    text = DATED + (
        "notice:\n  message: >\n    Closes\n    {cutover}.\n  link: More\n  page: notices/en.md\n  dismissible: true\n"
        "  skip: [/app/*, '/{region}/app']\n"
    )
    notice = load_files({"s.yaml": text, "notices/en.md": "# Since {shop}\n"}).sites[0].notice
    assert notice is not None
    assert (notice.message, notice.link, notice.pages, notice.dismissible) == (
        "Closes {cutover}.",
        "More",
        {"en": "# Since {shop}\n"},
        True,
    )
    assert [pattern.text for pattern in notice.skip] == ["/app/*", "/{region}/app"]


@pytest.mark.parametrize(
    ("language", "written", "languages"),
    [
        ("fr-CA", "a.md", ["fr-CA"]),
        ("en", "{fr: a.md, en: b.md, id: c.md}", ["en", "fr", "id"]),
        ("en-GB", "{fr: a.md, en-US: b.md}", ["en-US", "fr"]),
        ("en-US", "{en-GB: a.md, EN-us: b.md, en: c.md}", ["EN-us", "en-GB", "en"]),
        ("de", "{fr: a.md, en: b.md}", ["fr", "en"]),
    ],
)
def test_an_announcement_has_languages_the_sites_own_first(
    load_files: Load, language: str, written: str, languages: list[str]
) -> None:
    text = f"{DATED}language: {language}\nnotice: {{message: a, page: {written}}}\n"
    notice = load_files({"s.yaml": text, "a.md": "A", "b.md": "B", "c.md": "C"}).sites[0].notice
    assert notice is not None
    assert list(notice.pages) == languages


def test_a_timeline_says_what_milestones_mean(load_files: Load) -> None:
    text = DATED + (
        "language: id\nnotice:\n  message: a\n  timeline:\n    shop: >\n      Toko\n      ditutup.\n"
        "    cutover:\n      en: Closes,\n        for good.\n      fr: Ferme.\n"
    )
    notice = load_files(text).sites[0].notice
    assert notice is not None
    assert notice.timeline == {
        "shop": {"id": "Toko ditutup."},
        "cutover": {"en": "Closes, for good.", "fr": "Ferme."},
    }


# Rules


@pytest.mark.parametrize(
    ("text", "action"),
    [("gone: true", AnswerGone()), ("not_found: true", AnswerNotFound()), ("forward: true", PassOn())],
)
def test_a_rule_says_what_is_done(rule: Callable[..., Rule], text: str, action: object) -> None:
    made = rule(f"{{path: /a, {text}}}", DATED)
    assert (made.action, made.name, str(made.place), made.order) == (action, "/a", "rules/s.yaml:8:5", 0)


def test_a_redirect_may_differ_from_the_sites(rule: Callable[..., Rule]) -> None:
    made = rule(
        "{path: /a, to: /b, status: 302, cache: 1m, keep_query: false, headers: {X-A: b}, match_slash: true, why: so}"
    )
    assert isinstance(made.action, RedirectTo)
    assert made.action.target.fixed == b"https://new.example/b"
    assert (made.action.status, made.action.cache, made.action.keep_query) == (302, 60, KEEP_NONE)
    assert (made.headers, made.match_slash, made.why) == (((b"X-A", b"b"),), True, "so")


def test_what_a_redirect_does_not_say_is_the_sites(rule: Callable[..., Rule]) -> None:
    made = rule("{path: /a, to: /b}", MOVES + "match_slash: true\n")
    assert isinstance(made.action, RedirectTo)
    assert (made.action.status, made.action.cache, made.action.keep_query) == (None, None, None)
    assert made.match_slash
    assert made.methods is None


@pytest.mark.parametrize(
    ("methods", "taken"),
    [
        ("[GET]", {b"GET", b"HEAD"}),
        ("[POST, PUT]", {b"POST", b"PUT"}),
        ("[HEAD]", {b"HEAD"}),
        ("[M-SEARCH]", {b"M-SEARCH"}),
    ],
)
def test_get_takes_head_along(rule: Callable[..., Rule], methods: str, taken: set[bytes]) -> None:
    assert rule(f"{{path: /a, methods: {methods}, gone: true}}").methods == frozenset(taken)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("{id: '7'}", Condition(b"id", b"7")),
        ("{id: 7}", Condition(b"id", b"7")),
        ("{id: 007}", Condition(b"id", b"007")),
        ("{id: 0x1F}", Condition(b"id", b"0x1F")),
        ("{id: true}", Condition(b"id", b"true")),
        ("{1: 1.50}", Condition(b"1", b"1.50")),
        ("{id: '*'}", Condition(b"id")),
        ("{id: '{id}'}", Condition(b"id", None, "id")),
        ("{'a b': 'é ü'}", Condition(b"a b", "é ü".encode())),
        ("{id: ''}", Condition(b"id", b"")),
    ],
)
def test_a_query_is_asked_for_as_it_is_written(rule: Callable[..., Rule], query: str, condition: Condition) -> None:
    assert rule(f"{{path: /a, query: {query}, gone: true}}").conditions == (condition,)


@pytest.mark.parametrize(
    ("window", "since", "until"),
    [
        ("", instant(2030, 2, 1), None),
        (", from: always", None, None),
        (", from: shop", instant(2030, 1, 1), None),
        (", from: shop, until: cutover", instant(2030, 1, 1), instant(2030, 2, 1)),
        (", until: always", instant(2030, 2, 1), None),
        (", until: 2030-03-01", instant(2030, 2, 1), instant(2030, 3, 1)),
        (", from: '2030-01-01T10:00+02:00'", instant(2030, 1, 1, 8), None),
    ],
)
def test_a_rule_holds_from_the_cutover_unless_it_says_more(
    rule: Callable[..., Rule], window: str, since: datetime | None, until: datetime | None
) -> None:
    assert rule(f"{{path: /a, gone: true{window}}}", DATED).window == Window(since, until)


def test_without_a_schedule_a_rule_holds_for_ever(rule: Callable[..., Rule]) -> None:
    assert rule("{path: /a, gone: true}").window == Window()


def test_while_no_cutover_is_known_a_rule_waits_for_it(rule: Callable[..., Rule]) -> None:
    head = MOVES + "origin: https://legacy.example\ntimezone: UTC\nschedule: {notice: 2030-01-01}\n"
    assert instant(2999, 1, 1) not in rule("{path: /a, gone: true, until: 2031-01-01}", head).window


@pytest.mark.parametrize(
    "text",
    [
        "{path: '/{a}/x', query: {b: '{b}'}, to: '/{a}/{b}'}",
        "{path: /a/*, to: 'https://new.example/{*}'}",
        r"{regex: '^/(\d+)-(?P<name>.*)$', to: '/{1}/{name}?x={2}'}",
    ],
)
def test_a_target_uses_what_the_pattern_captures(rule: Callable[..., Rule], text: str) -> None:
    made = rule(text)
    assert isinstance(made.pattern, PathPattern | RegexPattern)
    assert isinstance(made.action, RedirectTo)
    assert made.action.target.names


def test_a_wildcard_host_may_be_captured(load_files: Load) -> None:
    frame = "targets: ['*.new.example']\n"
    text = "site: s\nhosts: ['*.old.example', '*.older.example']\nmoves_to: https://{*host}.new.example\n"
    moves_to = load_files({"rulebook.yaml": frame, "s.yaml": text}).sites[0].moves_to
    assert moves_to is not None
    assert moves_to.base({"*host": b"shop"}) == b"https://shop.new.example"


def test_a_regex_may_leave_out_its_caret_and_folds_case_with_the_site(rule: Callable[..., Rule]) -> None:
    pattern = rule("{regex: '/UK/a.*', gone: true}", MOVES + "base: /uk\nmatch_case: false\n").pattern
    assert isinstance(pattern, RegexPattern)
    assert pattern.prefix == b"/uk/a"
    assert pattern.regex.fullmatch(b"/Uk/AB") is not None


# Defaults


def test_a_sites_own_key_wins_over_the_defaults(load_files: Load) -> None:
    frame = "targets: [new.example]\ndefaults: {status: 302, cache: 1m, headers: {X-A: a}, keep_query: false}\n"
    files: dict[str, Any] = {
        "rulebook.yaml": frame,
        "a.yaml": "site: a\nhosts: [a.example]\n",
        "b.yaml": "site: b\nhosts: [b.example]\nstatus: 301\nheaders: {X-B: b}\n",
    }
    a, b = load_files(files).sites
    assert (a.status, a.cache, a.headers, a.keep_query) == (302, 60, ((b"X-A", b"a"),), KEEP_NONE)
    assert (b.status, b.cache, b.headers, b.keep_query) == (301, 60, ((b"X-B", b"b"),), KEEP_NONE)


def test_a_schedule_is_merged_by_milestone_in_the_sites_own_time(load_files: Load) -> None:
    frame = (
        "targets: [new.example]\ndefaults:\n  timezone: UTC\n  origin: https://legacy.example\n"
        "  schedule: {notice: 2030-01-01, shop: 2030-01-15, cutover: 2030-02-01}\n"
    )
    text = (
        "site: s\nhosts: [old.example]\ntimezone: Asia/Jakarta\n"
        "schedule: {shop: null, cutover: 2030-03-01, end: 2031-01-01}\n"
    )
    schedule = load_files({"rulebook.yaml": frame, "s.yaml": text}).sites[0].schedule
    assert schedule.milestones == {
        "notice": instant(2029, 12, 31, 17),
        "cutover": instant(2030, 2, 28, 17),
        "end": instant(2030, 12, 31, 17),
    }


def test_defaults_for_the_root_of_a_host_do_not_trouble_a_site_below(load_files: Load) -> None:
    frame = "targets: [new.example]\ndefaults: {robots: true, well_known: {security.txt: security.txt}}\n"
    files = {"rulebook.yaml": frame, "s.yaml": BARE + "base: /uk\n", "security.txt": "Contact: …\n"}
    site = load_files(files).sites[0]
    assert not site.robots
    assert not site.well_known


@pytest.mark.parametrize("key", sorted(set(SiteForm.model_fields) - PER_SITE))
def test_every_key_that_is_not_one_sites_own_may_be_a_default(key: str) -> None:
    assert key in DefaultsForm.model_fields


def test_the_same_default_is_wrong_once_however_many_sites_there_are(refused: Refused) -> None:
    frame = "targets: [new.example]\ndefaults: {moves_to: https://evil.example}\n"
    sites = {f"{name}.yaml": f"site: {name}\nhosts: [{name}.example]\n" for name in "abc"}
    assert refused({"rulebook.yaml": frame} | sites) == ["rulebook.yaml:2:22: target-not-listed"]
