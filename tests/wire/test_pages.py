"""The pages of Sunset's own: their language, their safety, and the way to the new home."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from proxy.core.decision import Cause
from proxy.core.kind import Kind
from proxy.core.schedule import Phase
from proxy.core.target import parse_target
from proxy.wire.document import document
from proxy.wire.pages import Pages, make_page, new_home
from proxy.wire.texts import LANGUAGES, Subject, texts_for
from tests.edge.sites import PLACE, site

HOME = "https://www.mi.com/uk"


class Reader(HTMLParser):
    """Tags in order, and the text outside of style."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("FR-ca", "fr"),
        ("id", "id"),
        ("de-AT", "de"),
        ("es-419", "es"),
        ("tlh", "en"),
        ("", "en"),
    ],
)
def test_a_page_is_in_the_language_of_the_site_or_in_english(asked: str, given: str) -> None:
    page = make_page(Subject.GONE, site(language=asked), with_home=True)
    reader = Reader(page.body)
    assert reader.all("html") == [{"lang": given}]
    assert texts_for(given).pages[Subject.GONE][0] in reader.text
    assert dict(page.headers)[b"Content-Language"] == given.encode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    texts = texts_for(language)
    assert set(texts.pages) == set(Subject)
    assert all(title and sentence for title, sentence in texts.pages.values())
    assert texts.home


def test_a_page_names_the_new_home_as_a_link() -> None:
    reader = Reader(make_page(Subject.GONE, site(), with_home=True).body)
    assert [link["href"] for link in reader.all("a")] == [HOME]
    assert "www.mi.com/uk" in reader.text


@pytest.mark.parametrize(
    ("phase", "links"), [(Phase.BEFORE, 0), (Phase.NOTICE, 1), (Phase.REDIRECT, 1), (Phase.GONE, 1)]
)
def test_nobody_learns_of_the_new_home_before_it_is_announced(phase: Phase, links: int) -> None:
    cause = Cause(site(), phase, Kind.EXACT, "/x", PLACE)
    assert len(Reader(Pages().page(Subject.NOT_FOUND, cause).body).all("a")) == links


def test_a_home_that_differs_by_host_is_not_named() -> None:
    moved = site(hosts=("*.po.co",), moves_to=parse_target("https://{*host}.mi.com"))
    assert new_home(moved) is None
    assert b"<a" not in make_page(Subject.GONE, moved, with_home=True).body


def test_what_stands_in_a_rule_file_is_escaped() -> None:
    home = parse_target('https://www.mi.com/?a="><script>&b')
    page = make_page(Subject.GONE, site(moves_to=home), with_home=True)
    reader = Reader(page.body)
    assert not reader.all("script")
    assert [link["href"] for link in reader.all("a")] == ['https://www.mi.com/?a="><script>&b']


@pytest.mark.parametrize("subject", Subject)
def test_a_page_loads_nothing_and_its_policy_allows_just_its_style(subject: Subject) -> None:
    page = make_page(subject, site(), with_home=True)
    style = re.search(rb"<style>(.*)</style>", page.body)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest())
    headers = dict(page.headers)
    policy = headers[b"Content-Security-Policy"]
    assert policy.startswith(b"default-src 'none'; style-src 'sha256-" + digest + b"';")
    assert headers[b"X-Content-Type-Options"] == b"nosniff"
    assert headers[b"Content-Type"] == b"text/html; charset=utf-8"
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in Reader(page.body).tags}
    assert len(page.body) < 2048


def test_a_page_is_made_once() -> None:
    pages = Pages()
    cause = Cause(site(), Phase.REDIRECT, Kind.EXACT, "/x", PLACE)
    assert pages.page(Subject.GONE, cause) is pages.page(Subject.GONE, cause)
    assert pages.page(Subject.GONE, cause) is not pages.page(Subject.GONE, None)


def test_a_language_from_right_to_left_is_shown_so() -> None:
    assert Reader(document("ar", "x", "").body).all("html") == [{"lang": "ar", "dir": "rtl"}]
