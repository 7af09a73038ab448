"""What axe-core has to say about every kind of page that Sunset makes, or makes better: nothing."""

from __future__ import annotations

import pytest

from tests.browser.visits import SCREENS, OpenWindow, Town, banner, complaints, is_wider_than_window

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITH_BANNER = {
    "home, English": ("po.co", "/uk/"),
    "home, French": ("po.co", "/fr/"),
    "home, Indonesian": ("www.po.co.id", "/id/"),
    "regions": ("po.co", "/"),
    "product": ("po.co", "/uk/poco-f2-pro"),
    "specs": ("po.co", "/uk/poco-f2-pro/specs"),
    "products": ("po.co", "/fr/products"),
    "cart": ("po.co", "/uk/cart"),
    "support": ("www.po.co.id", "/id/support"),
    "right to left": ("arabic.example", "/"),
    "under a policy": ("strict.example", "/?Content-Security-Policy=default-src+'none'"),
    "without style": ("guarded.example", "/"),
}
OWN = {
    "announcement, English": ("po.co", "/uk/.sunset/notice?from=/uk/product/poco-f6", 200),
    "announcement, French": ("po.co", "/.sunset/notice?lang=fr", 200),
    "announcement, Indonesian": ("www.po.co.id", "/.sunset/notice", 200),
    "announcement, right to left": ("arabic.example", "/.sunset/notice?from=/x", 200),
    "not found": ("over.example", "/nothing", 404),
    "gone, French": ("over.example", "/fr/old", 410),
    "gone, right to left": ("over.example", "/ar/old", 410),
    "origin away": ("broken.example", "/", 502),
}

on_every_screen = pytest.mark.parametrize(
    ("screen", "light"), [(SCREENS["desktop"], "light"), (SCREENS["phone"], "dark")], ids=["desktop", "phone at night"]
)


@on_every_screen
@pytest.mark.parametrize(("host", "target"), WITH_BANNER.values(), ids=WITH_BANNER)
async def test_a_page_with_the_banner(
    open_window: OpenWindow, town: Town, host: str, target: str, screen: dict[str, int], light: str
) -> None:
    page = await (await open_window(viewport=screen, color_scheme=light)).new_page()
    await page.goto(town.address(host, target))
    assert await banner(page).or_(page.locator("body > aside")).count() == 1
    assert await complaints(page) == []
    assert not await is_wider_than_window(page)


@on_every_screen
@pytest.mark.parametrize(("host", "target", "status"), OWN.values(), ids=OWN)
async def test_a_page_of_its_own(
    open_window: OpenWindow, town: Town, host: str, target: str, status: int, screen: dict[str, int], light: str
) -> None:
    page = await (await open_window(viewport=screen, color_scheme=light)).new_page()
    answer = await page.goto(town.address(host, target))
    assert answer is not None
    assert answer.status == status
    assert await complaints(page) == []
    assert not await is_wider_than_window(page)
