"""The announcement as Markdown made into a page: what is obeyed in it, what is only shown, and what it is called."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from proxy.core.schedule import Schedule
from proxy.wire.announcement import Announcements
from tests.edge.sites import notice, site

NOW = datetime(2024, 11, 1, tzinfo=UTC)
SCHEDULE = Schedule(
    {
        "notice": datetime(2024, 10, 8, 17, tzinfo=UTC),
        "shop-closed": datetime(2024, 10, 20, 17, tzinfo=UTC),
        "cutover": datetime(2024, 12, 30, 17, tzinfo=UTC),
    }
)


def page(markdown: str, language: str = "en") -> str:
    moving = site(notice=notice(pages={language: markdown}), timezone=ZoneInfo("Asia/Jakarta"), schedule=SCHEDULE)
    made = Announcements().page(moving, NOW, None, b"", None)
    assert made is not None
    return made.body.decode()


def test_markdown_becomes_a_page_titled_by_its_first_heading() -> None:
    html = page("# We are *moving*\n\nOn **that day**.\n\n- one\n- two\n")
    assert "<title>We are moving</title>" in html
    assert "<h1>We are <em>moving</em></h1>" in html
    assert "<strong>that day</strong>" in html
    assert "<li>two</li>" in html


def test_a_milestone_is_written_as_a_day_on_the_sites_calendar() -> None:
    html = page("# x\n\nFrom {shop-closed} to {cutover}.")
    assert "From 21 October" in html or "From October 21" in html
    assert "to 31 December" in html or "to December 31" in html


@pytest.mark.parametrize("written", ["{nobody}", "{}", "{ cutover }", "{cutover"])
def test_braces_that_name_no_milestone_stay(written: str) -> None:
    assert f"<p>On {written}.</p>" in page(f"# x\n\nOn {written}.")


def test_a_page_without_a_heading_is_titled_by_the_message() -> None:
    html = page("Only text.")
    assert "<title>This site closes on " in html
    assert "{cutover}" not in html


def test_html_and_script_addresses_are_text() -> None:
    html = page("# <b>x</b>\n\n<script>alert(1)</script> [x](javascript:alert(1))")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<title>&lt;b&gt;x&lt;/b&gt;</title>" in html
    assert 'href="javascript' not in html


def test_a_site_without_a_page_has_no_announcement() -> None:
    announcements = Announcements()
    assert announcements.page(site(), NOW, None, b"", None) is None
    assert announcements.page(site(notice=notice(pages={})), NOW, None, b"", None) is None


def test_the_page_says_which_language_it_is_in() -> None:
    assert '<html lang="en-GB">' in page("Moving.", "en-GB")
