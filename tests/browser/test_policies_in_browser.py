"""The banner under the policies of pages: its style applies, and the browser finds nothing to complain of."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.async_api import ConsoleMessage, Page

from tests.browser.visits import Town, banner, link, style_of, watched

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLICIES = [
    "default-src 'none'",
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    "default-src 'self'; style-src 'none'; frame-ancestors 'none'; upgrade-insecure-requests-not",
    "default-src 'self'; style-src-elem 'none'; style-src 'unsafe-inline'",
    "style-src 'unsafe-inline'",
    "style-src 'self' 'nonce-c2VjcmV0' 'unsafe-inline'",
    "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "default-src 'none', style-src 'self'",
    "default-src 'none' ; ; STYLE-SRC 'NONE'",
    "require-trusted-types-for 'script'; trusted-types 'none'; default-src 'none'",
    "default-src 'none'; sandbox allow-top-navigation-by-user-activation allow-scripts",
    "script-src 'none'; object-src 'none'",
]


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_policy_lets_the_style_of_the_banner_pass_and_nothing_is_violated(
    page: Page, town: Town, policy: str
) -> None:
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "favicon" not in message.text:
            said.append(message.text)

    page.on("console", hear)
    await page.goto(town.address("strict.example", "/?" + urlencode({"Content-Security-Policy": policy})))

    assert await style_of(banner(page), "display", "backgroundColor") == ["block", "rgb(255, 246, 224)"]
    assert await style_of(link(page, "hide"), "borderTopStyle", "color") == ["solid", "rgb(133, 52, 0)"]
    assert (await watched(page))["violations"] == []
    assert [text for text in said if "unrecognized" not in text.lower()] == []


async def test_no_other_style_passes_with_it(page: Page, town: Town) -> None:
    """The hash lets this one style sheet pass: what a page may not do, it still may not."""
    policy = urlencode({"Content-Security-Policy": "default-src 'none'"})
    await page.goto(town.address("strict.example", f"/?{policy}"))
    await page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: 'h1 {color: red}'}))"
    )
    assert await style_of(page.locator("h1"), "color") == ["rgb(0, 0, 0)"]
    assert len((await watched(page))["violations"]) == 1


async def test_in_a_sandbox_its_links_lead_where_they_say_but_it_is_not_hidden(page: Page, town: Town) -> None:
    """A sandboxed page has no origin: browsers say of its links that they come from another site."""
    target = f"/?{urlencode({'Content-Security-Policy': 'sandbox'})}"
    await page.goto(town.address("strict.example", target))
    await link(page, "hide").click()
    assert page.url == town.address("strict.example", target)
    assert await banner(page).count() == 1
    await link(page, "more").click()
    assert await page.locator("h1").inner_text() == "Moving"


async def test_where_a_policy_in_the_page_forbids_all_style_it_is_still_read(page: Page, town: Town) -> None:
    """In `<meta>` a policy is not seen by who puts the banner in."""
    await page.goto(town.address("guarded.example"))
    assert await style_of(banner(page), "backgroundColor") == ["rgba(0, 0, 0, 0)"]
    assert "It closes on December 31, 2024." in await banner(page).inner_text()
    for name in ("moves", "more", "hide"):
        assert await link(page, name).is_visible()
