"""The banner in a browser, on a desktop and on a phone, in languages of either direction."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from playwright.async_api import Page

from tests.browser.visits import (
    SCREENS,
    OpenWindow,
    Town,
    banner,
    complaints,
    is_wider_than_window,
    link,
    style_of,
    watched,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Site(NamedTuple):
    host: str
    path: str
    direction: str
    message: str
    moves_to: str
    more: str
    announcement: str


SITES = {
    "en": Site(
        host="po.co",
        path="/uk/support",
        direction="ltr",
        message="POCO UK is moving to Mi.com. This site closes on 31 December 2024.",
        moves_to="https://www.mi.com/uk/support",
        more="What changes for you",
        announcement="POCO UK is moving to Mi.com",
    ),
    "fr": Site(
        host="po.co",
        path="/fr/support",
        direction="ltr",
        message="POCO France rejoint Mi.com. Ce site fermera le 31 décembre 2024.",
        moves_to="https://www.mi.com/fr/support",
        more="Ce qui change pour vous",
        announcement="POCO France rejoint Mi.com",
    ),
    "id": Site(
        host="www.po.co.id",
        path="/id/products",
        direction="ltr",
        message="POCO Indonesia pindah ke Mi.co.id. Situs ini akan ditutup pada 31 Desember 2024.",
        moves_to="https://www.mi.co.id/id/products",
        more="Apa yang berubah untuk Anda",
        announcement="POCO Indonesia pindah ke Mi.co.id",
    ),
    "ar": Site(
        host="arabic.example",
        path="/phones?sort=price&page=2",
        direction="rtl",
        message="ينتقل هذا المتجر إلى موقع جديد. يُغلق هذا الموقع في 31 ديسمبر 2024.",
        moves_to="https://new.example/shop/phones?sort=price&page=2",
        more="ما الذي يتغير بالنسبة لك",
        announcement="ينتقل المتجر إلى موقع جديد",
    ),
}

in_every_language = pytest.mark.parametrize("site", SITES.values(), ids=SITES)
on_every_screen = pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)


async def visit(open_window: OpenWindow, town: Town, site: Site, **how: object) -> Page:
    page = await (await open_window(**how)).new_page()
    await page.goto(town.address(site.host, site.path))
    return page


@in_every_language
@on_every_screen
async def test_the_banner_stands_above_the_page_and_fits(
    open_window: OpenWindow, town: Town, site: Site, screen: dict[str, int]
) -> None:
    page = await visit(open_window, town, site, viewport=screen)

    assert site.message in await banner(page).inner_text()
    assert await style_of(banner(page), "direction", "position") == [site.direction, "static"]
    box = await banner(page).bounding_box()
    assert box is not None
    assert box["y"] <= 8  # what browsers put around a page
    assert box["width"] >= screen["width"] - 16
    assert box["height"] <= screen["height"] * 0.3
    main = await page.locator("main").bounding_box()
    assert main is not None
    assert main["y"] >= box["y"] + box["height"]
    assert not await is_wider_than_window(page)


@in_every_language
@on_every_screen
async def test_nothing_of_the_banner_is_cut_off_or_covered(
    open_window: OpenWindow, town: Town, site: Site, screen: dict[str, int]
) -> None:
    page = await visit(open_window, town, site, viewport=screen)
    for name in ("moves", "more", "hide"):
        box = await link(page, name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= screen["width"]
        assert box["height"] >= 16
        await link(page, name).click(trial=True)  # it is what lies at its place


@in_every_language
async def test_the_hide_link_is_at_the_end_of_the_line(open_window: OpenWindow, town: Town, site: Site) -> None:
    page = await visit(open_window, town, site, viewport=SCREENS["desktop"])
    hide, message = await link(page, "hide").bounding_box(), await page.locator(".sunset-notice-says").bounding_box()
    assert hide is not None
    assert message is not None
    assert (hide["x"] > message["x"]) is (site.direction == "ltr")


@in_every_language
async def test_the_page_neither_jumps_nor_loses_its_focus(open_window: OpenWindow, town: Town, site: Site) -> None:
    page = await visit(open_window, town, site)
    assert await watched(page) == {"violations": [], "shift": 0}
    assert await page.evaluate("document.activeElement === document.body && scrollY === 0")


@in_every_language
async def test_the_keyboard_reaches_the_links_in_their_order(open_window: OpenWindow, town: Town, site: Site) -> None:
    page = await visit(open_window, town, site)
    for name in ("moves", "more", "hide"):
        await page.keyboard.press("Tab")
        assert await link(page, name).evaluate("one => one === document.activeElement")
        assert await style_of(link(page, name), "outlineStyle", "outlineWidth") == ["solid", "2px"]
    await page.keyboard.press("Tab")
    assert not await banner(page).evaluate("one => one.contains(document.activeElement)")


@in_every_language
async def test_a_link_leads_to_where_the_page_moves(open_window: OpenWindow, town: Town, site: Site) -> None:
    page = await visit(open_window, town, site)
    assert await link(page, "moves").get_attribute("href") == site.moves_to


@in_every_language
@on_every_screen
async def test_a_link_leads_to_the_announcement(
    open_window: OpenWindow, town: Town, site: Site, screen: dict[str, int]
) -> None:
    page = await visit(open_window, town, site, viewport=screen)
    assert await link(page, "more").inner_text() == site.more
    await link(page, "more").click()
    assert await page.locator("h1").inner_text() == site.announcement
    assert await style_of(page.locator("html"), "direction") == [site.direction]
    assert await page.get_by_role("link", name=site.moves_to.partition("?")[0].removeprefix("https://")).count() == 1
    assert not await is_wider_than_window(page)
    assert await watched(page) == {"violations": [], "shift": 0}
    assert await complaints(page) == []


@in_every_language
async def test_paper_does_without_the_banner(open_window: OpenWindow, town: Town, site: Site) -> None:
    page = await visit(open_window, town, site)
    assert await banner(page).is_visible()
    await page.emulate_media(media="print")
    assert not await banner(page).is_visible()


async def test_it_looks_the_same_in_a_page_that_shouts(page: Page, town: Town) -> None:
    names = (
        "color",
        "fontSize",
        "letterSpacing",
        "textTransform",
        "position",
        "opacity",
        "backgroundColor",
        "direction",
    )
    looks = []
    for host in ("strict.example", "loud.example"):
        await page.goto(town.address(host))
        parts = [banner(page), page.locator(".sunset-notice-says"), link(page, "moves"), link(page, "hide")]
        looks.append([await style_of(part, *names) for part in parts])
    assert looks[0] == looks[1]


async def test_it_needs_no_script(open_window: OpenWindow, town: Town) -> None:
    page = await visit(open_window, town, SITES["en"], java_script_enabled=False)
    await link(page, "hide").click()
    assert page.url == town.address(SITES["en"].host, SITES["en"].path)
    assert await banner(page).count() == 0
