"""Hiding the notice in a browser, and what that changes: this site for this visitor, nothing else."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.browser.visits import OpenWindow, Town, banner, link

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/uk/products?sort=price&q=a%2Fb%20c"


async def hide(page: Page, town: Town, path: str = PATH) -> None:
    await page.goto(town.address("po.co", path))
    await link(page, "hide").click()


async def test_hidden_the_page_is_there_again_without_it(page: Page, town: Town) -> None:
    await hide(page, town)
    assert page.url == town.address("po.co", PATH)
    assert await page.locator("main").is_visible()
    assert await banner(page).count() == 0


async def test_it_stays_hidden_on_every_page_of_the_site(page: Page, town: Town) -> None:
    await hide(page, town)
    await page.reload()
    assert await banner(page).count() == 0
    await page.goto(town.address("po.co", "/uk/support"))
    assert await banner(page).count() == 0


async def test_a_page_that_was_seen_before_comes_without_it(page: Page, town: Town) -> None:
    await page.goto(town.address("po.co", "/uk/support"))
    assert await banner(page).count() == 1
    await hide(page, town)
    await page.goto(town.address("po.co", "/uk/support"))
    assert await banner(page).count() == 0


async def test_other_sites_still_show_theirs(page: Page, town: Town) -> None:
    await hide(page, town)
    for host, path in (("po.co", "/fr/"), ("www.po.co.id", "/id/"), ("strict.example", "/")):
        await page.goto(town.address(host, path))
        assert await banner(page).is_visible()


async def test_another_visitor_still_sees_it(page: Page, open_window: OpenWindow, town: Town) -> None:
    await hide(page, town)
    stranger = await (await open_window()).new_page()
    await stranger.goto(town.address("po.co", PATH))
    assert await banner(stranger).is_visible()


async def test_the_cookie_is_of_the_base_and_not_for_scripts(page: Page, town: Town) -> None:
    await hide(page, town)
    (cookie,) = await page.context.cookies()
    assert (cookie["name"], cookie["path"], cookie["domain"]) == ("sunset-notice-poco-uk", "/uk", "po.co.localhost")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)


async def test_once_the_cookie_is_gone_the_notice_is_back(page: Page, town: Town) -> None:
    await hide(page, town)
    await page.context.clear_cookies()
    await page.goto(town.address("po.co", PATH))
    assert await banner(page).is_visible()


async def test_by_keyboard(page: Page, town: Town) -> None:
    await page.goto(town.address("po.co", PATH))
    await link(page, "hide").focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    assert page.url == town.address("po.co", PATH)
    assert await banner(page).count() == 0


async def test_other_sites_cannot_hide_it(page: Page, town: Town) -> None:
    await page.goto(town.address("strict.example"))
    address = town.address("po.co", "/uk/.sunset/dismiss?from=/uk/products")
    async with page.expect_navigation():
        await page.evaluate("address => { location.href = address }", address)
    assert page.url == town.address("po.co", "/uk/products")
    assert await banner(page).is_visible()
