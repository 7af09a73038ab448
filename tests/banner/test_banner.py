"""The banner as a browser's parser reads it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import html5lib
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.core.model import Notice, Site
from proxy.core.schedule import Schedule
from proxy.wire.asked import asked_page
from proxy.wire.banner import Banner, Banners
from proxy.wire.banner_style import CLASS, STYLE_ELEMENT
from proxy.wire.banner_texts import LANGUAGES, banner_texts_for
from tests.banner.closing_sites import NOTICE, closing_site

NOW = datetime(2024, 12, 10, 12, tzinfo=UTC)
SUCCESSOR = b"https://www.mi.com/uk/poco-f6/?c=red&d=%20#top"
TARGET = b"/uk/product/poco-f6?c=red&d=%20"
MARK = "\N{RIGHT-TO-LEFT OVERRIDE}"
TEXTS = st.text(max_size=60) | st.sampled_from(
    [
        "</aside><script>",
        "<!--",
        "]]>",
        "&amp;",
        "{cutover}%s%%",
        "\x80\x00\ud800\ufffe",
        "a\r\nb",
        MARK,
        '" onclick="',
        "é日",
    ]
)


def parsed(html: bytes) -> ET.Element:
    """The body of a page that begins with the banner."""
    page = b"<!doctype html><title>t</title><body>" + html + b"<main>page</main></body>"
    body = html5lib.parse(page.decode("ascii"), namespaceHTMLElements=False).find("body")
    assert body is not None
    return body


def banner_in(html: bytes) -> ET.Element:
    aside, main = parsed(html)
    assert (aside.tag, main.tag, main.text) == ("aside", "main", "page")
    assert not list(main)
    return aside


def made(site: Site, successor: bytes | None = SUCCESSOR, now: datetime = NOW, *, styled: bool = True) -> ET.Element:
    return banner_in(Banner(site, now).render(b"po.co", TARGET, successor, styled=styled))


def text_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).replace(STYLE_ELEMENT[7:-8], "").split())


def links_of(element: ET.Element) -> dict[str, str]:
    return {text_of(link): link.attrib["href"] for link in element.iter("a")}


def part(element: ET.Element, name: str) -> ET.Element | None:
    return next((one for one in element.iter() if one.get("class") == f"{CLASS}-{name}"), None)


def test_it_says_the_message_with_the_day_and_the_time_that_is_left() -> None:
    assert text_of(made(closing_site())).startswith("This site closes on 31 December 2024. Closes in 3 weeks")


@pytest.mark.parametrize(
    ("language", "message", "shown"),
    [
        ("fr-FR", "Ce site fermera le {cutover}.", "Ce site fermera le 31 décembre 2024. Ferme dans 3 semaines"),
        ("id", "Ditutup pada {cutover}.", "Ditutup pada 31 Desember 2024. Ditutup dalam 3 minggu"),
        ("ar", "يُغلق في {cutover}.", "يُغلق في 31 ديسمبر 2024. يُغلق خلال 3 أسابيع"),
        ("cs", "Končíme {cutover}.", "Končíme 31. prosince 2024. za 3 týdny"),
        ("tlh", "bogh {cutover}.", "bogh December 31, 2024. Closes in 3 weeks"),
    ],
)
def test_it_speaks_the_language_of_the_site(language: str, message: str, shown: str) -> None:
    site = closing_site(language, notice=replace(NOTICE, message=message))
    aside = made(site)
    assert text_of(aside).startswith(shown)
    assert aside.get("lang") == language
    assert aside.get("dir") == ("rtl" if language == "ar" else "ltr")


def test_what_is_not_in_the_language_of_the_site_says_so() -> None:
    aside = made(closing_site("fa", notice=replace(NOTICE, link="")))
    spoken = {
        name: found.get("lang")
        for name in ("left", "moves", "more", "hide")
        if (found := part(aside, name)) is not None
    }
    assert spoken == {"left": None, "moves": "en", "more": "en", "hide": "en"}
    assert {one.get("dir") for one in aside.iter() if one.get("lang") == "en"} == {"ltr"}


def test_the_address_of_the_new_page_is_exactly_the_location() -> None:
    links = links_of(made(closing_site()))
    assert links["www.mi.com/uk/poco-f6/"] == SUCCESSOR.decode()


@pytest.mark.parametrize(
    "location",
    [
        b"https://www.mi.com",
        b"http://www.mi.com/?a=b&amp;c=<d>\"'",
        b"https://www.mi.com/%22%3E%3Cscript%3E",
        b"https://www.mi.com/" + b"a/%C3%A4" * 500,
        b"https://www.mi.com/{cutover}%(host)b%s%%",
    ],
)
def test_any_location_stays_what_it_is(location: bytes) -> None:
    aside = made(closing_site(), location)
    assert location.decode() in links_of(aside).values()
    moves = part(aside, "moves")
    assert moves is not None
    assert len(text_of(moves)) < 120


def test_bytes_outside_ascii_are_percent_escaped() -> None:
    assert "https://www.mi.com/%E4" in links_of(made(closing_site(), b"https://www.mi.com/\xe4")).values()


def test_a_page_that_moves_nowhere_is_not_said_to_move() -> None:
    aside = made(closing_site(), None)
    assert part(aside, "moves") is None
    assert set(links_of(aside)) == {"What changes for you", "Hide this notice"}


@pytest.mark.parametrize(
    ("base", "text", "path"),
    [
        (b"/uk", "What changes for you", "/uk/.sunset/notice"),
        (b"/uk", "Hide this notice", "/uk/.sunset/dismiss"),
        (b"", "What changes for you", "/.sunset/notice"),
        (b"", "Hide this notice", "/.sunset/dismiss"),
    ],
)
def test_its_own_links_stay_on_the_asked_host_and_say_which_page_it_is(base: bytes, text: str, path: str) -> None:
    html = Banner(closing_site(base=base), NOW).render(b"po.co:8080", TARGET, SUCCESSOR)
    address = urlsplit(links_of(banner_in(html))[text])
    assert (address.scheme, address.netloc, address.path) == ("", "po.co:8080", path)
    assert parse_qs(address.query) == {"from": [TARGET.decode()]}
    assert asked_page(address.query.encode(), base) == TARGET


def test_links_open_in_the_window_and_crawlers_follow_only_the_one_to_the_new_page() -> None:
    for link in made(closing_site()).iter("a"):
        assert link.get("target") == "_top"
        assert link.get("rel") == (None if link.get("href") == SUCCESSOR.decode() else "nofollow")


@pytest.mark.parametrize(
    ("notice", "links"),
    [
        (Notice("m"), set()),
        (Notice("m", pages={"en": "# p"}), {"What changes"}),
        (Notice("m", link="More", pages={"en": "# p"}), {"More"}),
        (Notice("m", link="More"), set()),
        (Notice("m", dismissible=True), {"Hide this notice"}),
    ],
)
def test_there_is_a_link_for_what_there_is(notice: Notice, links: set[str]) -> None:
    assert set(links_of(made(closing_site(notice=notice), None))) == links


def test_it_is_a_labelled_region_that_takes_no_focus_and_runs_nothing() -> None:
    aside = made(closing_site())
    assert aside.get("aria-label") == "Notice about this site"
    assert not list(aside.iter("script"))
    attributes = {name for one in aside.iter() for name in one.attrib}
    assert attributes == {"class", "lang", "dir", "aria-label", "data-nosnippet", "href", "target", "rel"}


def test_without_style_there_is_neither_style_nor_class() -> None:
    aside = made(closing_site(), styled=False)
    assert not list(aside.iter("style"))
    assert not any("class" in one.attrib for one in aside.iter())
    assert text_of(aside) == text_of(made(closing_site()))
    assert links_of(aside) == links_of(made(closing_site()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    texts = banner_texts_for(language)
    assert texts.language == language
    assert texts.closes.count("{}") == 1
    site = closing_site(language, notice=Notice("m", pages={"en": "# p"}, dismissible=True))
    aside = made(site)
    shown = text_of(aside)
    assert all(text in shown for text in (texts.more, texts.moves, texts.hide))
    assert aside.get("dir") == texts.direction
    assert not any("lang" in one.attrib for one in aside.iter() if one is not aside)


def test_a_site_without_a_cutover_says_nothing_of_time() -> None:
    notice = replace(NOTICE, message="We move.")
    aside = made(closing_site(schedule=Schedule({"notice": NOW}), notice=notice), None)
    assert part(aside, "left") is None


def test_a_site_without_a_notice_has_no_banner() -> None:
    with pytest.raises(ValueError, match="has no notice"):
        Banner(closing_site(notice=None), NOW)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["en", "fa", "x"]), st.booleans(), st.none() | st.binary(max_size=30))
def test_whatever_it_says_it_is_one_element_in_ascii_for_html_and_for_xml(
    message: str, link: str, language: str, styled: bool, rest: bytes | None
) -> None:
    site = closing_site(language, notice=Notice(message, link, {"en": "# p"}, dismissible=True))
    target = b"/uk/" + (rest or b"")
    html = Banner(site, NOW).render(
        b"po.co", target, None if rest is None else b"https://mi.com/" + rest, styled=styled
    )
    assert html.isascii()
    aside = banner_in(html)
    assert [one.tag for one in aside.iter("aside")] == ["aside"]
    names = {"aside", "div", "p", "strong", "span", "a", "br"} | ({"style"} if styled else set())
    assert {one.tag for one in aside.iter()} <= names
    if rest is None or not re.search(rb"[\x00-\x1f\x7f]", rest):  # those never come this far
        assert "".join(fromstring(html).itertext()) == "".join(aside.itertext())


@settings(deadline=None)
@given(TEXTS)
def test_a_message_is_shown_as_it_was_written(message: str) -> None:
    said = part(made(closing_site(notice=Notice(message))), "says")
    assert said is not None
    kept = re.sub("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]", "", message)
    if not any(ord(char) & 0xFFFE == 0xFFFE for char in message):
        expected = re.sub("[\t\n\f\r ]+", " ", kept).replace("{cutover}", "31 December 2024")
        assert "".join(said.itertext()).removesuffix("Closes in 3 weeks") == expected + " "


def test_a_banner_holds_until_the_sites_day_is_over() -> None:
    jakarta = Banner(closing_site("id", "Asia/Jakarta"), NOW)
    assert jakarta.until == datetime(2024, 12, 10, 17, tzinfo=UTC)


def test_each_day_has_its_banner() -> None:
    site = closing_site()
    banners = Banners([site, closing_site(name="silent", notice=None)], NOW)
    first = banners.of(site, NOW)
    assert banners.of(site, first.until - timedelta(seconds=1)) is first
    eve = banners.of(site, datetime(2024, 12, 30, 12, tzinfo=UTC))
    assert eve is not first
    assert b"Closes tomorrow" in eve.render(b"po.co", TARGET, None)
    with pytest.raises(KeyError):
        banners.of(closing_site(name="silent", notice=None), NOW)


def test_an_edition_names_all_that_a_page_has_of_a_banner() -> None:
    site = closing_site()
    editions = [
        Banner(site, NOW).edition,
        Banner(site, NOW + timedelta(days=14)).edition,
        Banner(site, NOW, "generation 2").edition,
        Banner(replace(site, notice=replace(NOTICE, message="Bye.")), NOW).edition,
    ]
    assert len(set(editions)) == 4
    assert Banner(site, NOW + timedelta(hours=1)).edition == editions[0]
    assert all(re.fullmatch(rb"[0-9a-f]{12}", edition) for edition in editions)
