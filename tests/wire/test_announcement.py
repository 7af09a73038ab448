"""The announcement behind the banner: its language, its dates, its timeline, and where the asked page is."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import html5lib
import pytest

from proxy.core.model import AnswerGone, Site
from proxy.core.schedule import Schedule, Window
from proxy.wire.announcement import Announcements, Whereabouts, whereabouts
from proxy.wire.asked import asked_page
from proxy.wire.document import Page
from tests.edge.sites import AFTER, CUTOVER, NOTICE, notice, rule, rulebook, site

NOW = datetime(2024, 11, 20, 10, tzinfo=UTC)
SCHEDULE = Schedule(
    {
        "notice": datetime(2024, 10, 8, 17, tzinfo=UTC),
        "shop-closed": datetime(2024, 10, 20, 17, tzinfo=UTC),
        "cutover": datetime(2024, 12, 30, 17, tzinfo=UTC),
    }
)
PAGES = {"en-GB": "# Moving", "fr": "# Départ", "id": "# Pindah", "ar": "# انتقال"}


def served(
    shown: Site, query: bytes | None = None, field: bytes = b"", asked: Whereabouts | None = None, now: datetime = NOW
) -> Page:
    made = Announcements().page(shown, now, query, field, asked)
    assert made is not None
    return made


def html(markdown: str, language: str = "en") -> str:
    jakarta = ZoneInfo("Asia/Jakarta")
    announced = notice(pages={language: markdown})
    return served(site(language=language, notice=announced, schedule=SCHEDULE, timezone=jakarta)).body.decode()


# Markdown


@pytest.mark.parametrize(
    ("language", "written", "shown"),
    [
        ("en", "Until {cutover}.", "<p>Until December 31, 2024.</p>"),
        ("en-GB", "**{shop-closed}**/*{cutover}*", "<strong>21 October 2024</strong>/<em>31 December 2024</em>"),
        ("id", "[{cutover}](https://a.example)", '<a href="https://a.example">31 Desember 2024</a>'),
        ("de", "{cutover}", "<p>31. Dezember 2024</p>"),  # Markdown would make a list of it
        ("en", "`{cutover}`", "<code>December 31, 2024</code>"),
        ("en", "![until {cutover}](https://a.example/b.png)", 'alt="until December 31, 2024"'),
        ("en", "{nobody} {} { cutover } {cutover", "<p>{nobody} {} { cutover } {cutover</p>"),
    ],
)
def test_a_milestone_is_written_as_a_date_of_the_language(language: str, written: str, shown: str) -> None:
    assert shown in html(written, language)


def test_markdown_becomes_a_page_titled_by_its_first_heading() -> None:
    page = html("# We are *moving*\n\nOn **{cutover}**.\n\n- one\n- two\n")
    assert "<title>We are moving</title>" in page
    assert "<h1>We are <em>moving</em></h1>" in page
    assert "<li>two</li>" in page


def test_a_page_without_a_heading_is_titled_by_the_message() -> None:
    assert "<title>This site closes on December 31, 2024.</title>" in html("Only text.")


def test_html_and_script_addresses_are_text() -> None:
    page = html("# <b>x</b>\n\n<script>alert(1)</script> [x](javascript:alert(1))")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<title>&lt;b&gt;x&lt;/b&gt;</title>" in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    ("markdown", "order"),
    [
        ("# A\n\nB\n\n## C\n\nD", ["<h1>A", 'class="asked"', "<p>B", "<ol", "<h2>C", "<p>D"]),
        ("B\n\n## C\n\nD", ['class="asked"', "<p>B", "<ol", "<h2>C", "<p>D"]),
        ("# A\n\nB\n\n> ## C", ["<h1>A", 'class="asked"', "<p>B", "<h2>C", "<ol"]),
        ("A\n===\nC\n---\n", ["<h1>A", 'class="asked"', "<ol", "<h2>C"]),
        ("A", ['class="asked"', "<p>A", "<ol"]),
    ],
)
def test_the_timeline_stands_behind_the_first_words(markdown: str, order: list[str]) -> None:
    shown = site(notice=notice(pages={"en": markdown}))
    page = served(shown, asked=Whereabouts(b"/x", b"https://www.mi.com/x")).body.decode()
    found = [page.index(part) for part in order]
    assert found == sorted(found)


@pytest.mark.parametrize("pages", [None, {}])
def test_a_site_without_a_page_has_no_announcement(pages: dict[str, str] | None) -> None:
    shown = site() if pages is None else site(notice=notice(pages=pages))
    assert Announcements().page(shown, NOW, b"lang=en", b"en", None) is None


# Its language


MANY = site(language="en-GB", notice=notice(pages=PAGES))


@pytest.mark.parametrize(
    ("query", "field", "language", "varies"),
    [
        (None, b"", b"en-GB", True),
        (None, b"fr-CA, en;q=0.5", b"fr", True),
        (b"from=/x", b"de, id;q=0.1", b"id", True),
        (b"lang=fr", b"id", b"fr", False),
        (b"from=/x&lang=FR-ca", b"id", b"fr", False),
        (b"lang=en", b"id", b"en-GB", False),
        (b"lang=%69d", b"fr", b"id", False),
        (b"lang=de", b"fr", b"fr", True),
        (b"lang=", b"fr", b"fr", True),
        (b"lang", b"fr", b"fr", True),
        (b"lang=%ff%00<", b"fr", b"fr", True),
        (b"language=id", b"fr", b"fr", True),
        (None, b"en;q=0, fr;q=0, id;q=0, ar;q=0, en-GB;q=0", b"en-GB", True),
    ],
)
def test_the_address_chooses_a_language_before_the_browser(
    query: bytes | None, field: bytes, language: bytes, varies: bool
) -> None:
    page = served(MANY, query, field)
    headers = dict(page.headers)
    assert headers[b"Content-Language"] == language
    assert headers.get(b"Vary") == (b"Accept-Language" if varies else None)
    direction = b' dir="rtl"' if language == b"ar" else b""
    assert b'<html lang="%b"%b>' % (language, direction) in page.body


def test_a_page_of_one_language_does_not_vary() -> None:
    page = served(site(notice=notice()), None, b"fr")
    assert b"Vary" not in dict(page.headers)
    assert b"<nav" not in page.body


LINK = re.compile(r'<a href="(\?lang=[^"]*)" hreflang="([^"]*)" lang="([^"]*)"[^>]*>(.*?)</a>')


@pytest.mark.parametrize(
    ("asked", "carried"),
    [(None, ""), (b"/uk/x", "&amp;from=/uk/x"), (b"/x?a=1&b='\"+", "&amp;from=/x?a=1%26b=%27%22%2B")],
)
def test_the_other_languages_are_links_that_keep_the_asked_page(asked: bytes | None, carried: str) -> None:
    page = served(MANY, b"lang=fr", asked=None if asked is None else Whereabouts(asked, None)).body.decode()
    assert '<nav aria-label="Langues">' in page
    assert '<b aria-current="true">Français</b>' in page
    assert LINK.findall(page) == [
        (f"?lang=en-GB{carried}", "en-GB", "en-GB", "English"),
        (f"?lang=id{carried}", "id", "id", "Indonesia"),
        (f"?lang=ar{carried}", "ar", "ar", "العربية"),
    ]


def test_varieties_of_one_language_are_told_apart() -> None:
    page = served(site(notice=notice(pages={"en-GB": "x", "en-US": "y", "fr": "z"}))).body.decode()
    names = ["English (United Kingdom)", "English (United States)", "Français"]
    assert re.findall(r"<li><[^>]*>(.*?)</", page) == names


# Where the asked page is


RULES = (
    rule("/cart/*", "/uk/cart", window=Window(NOTICE)),
    rule("/old", "/uk/new?a=1&b=2"),
)
BOOK = rulebook(site(notice=notice(), rules=RULES))


@pytest.mark.parametrize(
    ("at", "query", "sentence"),
    [
        (NOTICE, b"from=/x%3Fc=1", "The page you came from, /x, will be at www.mi.com/uk/x."),
        (NOTICE, b"from=/old", "The page you came from, /old, will be at www.mi.com/uk/new."),
        (NOTICE, b"from=/cart/1", "The page you came from, /cart/1, is now at www.mi.com/uk/cart."),
        (AFTER, b"from=/x", "The page you came from, /x, is now at www.mi.com/uk/x."),
        (
            AFTER,
            b"from=/go/https://b.example/",
            "The page you came from, /go/https://b.example/, is now at www.mi.com/uk/go/https://b.example/.",
        ),
    ],
)
def test_the_announcement_says_where_the_asked_page_is(at: datetime, query: bytes, sentence: str) -> None:
    table = BOOK.at(at)
    asked = asked_page(query, b"")
    assert asked is not None
    decision = table.decide(b"po.co", asked)
    page = served(BOOK.sites[0], query, asked=whereabouts(asked, decision), now=at).body.decode()
    found = re.search(r'<p class="asked">(.*?)</p>', page)
    assert found is not None
    assert re.sub(r"<[^>]*>", "", found[1]) == sentence


@pytest.mark.parametrize("language", ["en", "fr", "id", "ar", "sv"])
def test_both_addresses_are_links_and_cannot_write_html(language: str) -> None:
    asked = Whereabouts(b"/x?a=1&b='\"><script>", "https://www.mi.com/é?a=1&b='\"><script>".encode(), moved=True)
    page = served(site(language=language, notice=notice(pages={language: "x"})), asked=asked).body
    paragraph = html5lib.parse(page, namespaceHTMLElements=False).find(".//p[@class='asked']")
    assert paragraph is not None
    assert [(link.get("href"), link.text) for link in paragraph] == [
        ("/x?a=1&b='\"><script>", "/x"),
        ("https://www.mi.com/%C3%A9?a=1&b='\"><script>", "www.mi.com/%C3%A9"),
    ]
    assert paragraph.get("lang") == ("en" if language == "sv" else None)


@pytest.mark.parametrize("path", ["/gone", "/missing", "/.sunset/other"])
def test_nothing_is_said_of_a_page_that_has_no_new_address(path: str) -> None:
    gone = site(notice=notice(), unmapped=AnswerGone())
    decision = rulebook(gone).at(AFTER).decide(b"po.co", path.encode())
    page = served(gone, asked=whereabouts(path.encode(), decision), now=AFTER)
    assert b'class="asked"' not in page.body
    assert b'class="asked"' not in served(gone).body


# How long it stays so


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        ("2024-11-20T10:00:00Z", 300),
        ("2024-11-20T16:55:00Z", 300),
        ("2024-11-20T16:55:00.5Z", 299),
        ("2024-11-20T16:59:30Z", 30),  # midnight in Jakarta is at 17:00
        ("2024-11-20T17:00:00Z", 300),
        ("2024-12-01T11:59:00Z", 60),  # a milestone at noon
        ("2024-12-01T12:00:00Z", 300),
        ("2024-12-30T16:59:59.9Z", 0),
        ("2025-06-01T10:00:00Z", 300),
    ],
)
def test_it_is_kept_for_minutes_and_never_past_a_change(now: str, seconds: int) -> None:
    milestones = dict(SCHEDULE.milestones) | {"noon": datetime(2024, 12, 1, 12, tzinfo=UTC)}
    shown = site(notice=notice(), schedule=Schedule(MappingProxyType(milestones)), timezone=ZoneInfo("Asia/Jakarta"))
    page = served(shown, now=datetime.fromisoformat(now))
    assert dict(page.headers)[b"Cache-Control"] == b"public, max-age=%d" % seconds


def test_it_is_made_anew_each_day_whichever_way_the_clock_goes() -> None:
    made = Announcements()
    shown = site(notice=notice())
    bodies = []
    for instant in (CUTOVER - timedelta(days=2), CUTOVER - timedelta(days=1), CUTOVER - timedelta(days=2), CUTOVER):
        page = made.page(shown, instant, None, b"", None)
        assert page is not None
        bodies.append(re.findall(rb'class="state">(.*?)<', page.body))
    assert bodies == [
        [b"Past", b"Today", b"In 2 days"],
        [b"Past", b"Today", b"Tomorrow"],
        [b"Past", b"Today", b"In 2 days"],
        [b"Past", b"Today"],
    ]


# The page as HTML


@pytest.mark.parametrize("language", PAGES)
def test_it_is_html_whose_style_the_policy_allows(language: str) -> None:
    page = served(MANY, b"lang=" + language.encode(), asked=Whereabouts(b"/x", b"https://www.mi.com/uk/x"))
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(page.body)
    style = tree.find(".//style")
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in dict(page.headers)[b"Content-Security-Policy"].decode()
    assert not tree.findall(".//script")
    assert not [element for element in tree.iter() if "style" in element.attrib]
    assert len(tree.findall(".//h1")) == 1
