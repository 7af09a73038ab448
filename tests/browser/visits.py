"""A browser's visits: a window of some size, what it shows of the banner, and what it has to say about a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page

from proxy.cli.demo import SUFFIX
from proxy.edge.server import Server

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
SCREENS = {"desktop": DESKTOP, "phone": PHONE}

PATIENCE = 10.0
"""Seconds after which something that should have happened will not."""

OpenWindow = Callable[..., Awaitable[BrowserContext]]
"""A window with cookies of its own; takes what Playwright's `new_context` takes. It closes with the test."""

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

WATCH = """
window.watched = {violations: [], shift: 0};
document.addEventListener('securitypolicyviolation', event =>
  watched.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.originalPolicy}`));
new PerformanceObserver(list => { for (const entry of list.getEntries()) watched.shift += entry.value })
  .observe({type: 'layout-shift', buffered: true});
"""
"""Runs before anything of a page does."""

PAINTED_TWICE = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Town:
    """Where the sites are."""

    def __init__(self, server: Server) -> None:
        self._port = server.addresses[0].port

    def address(self, host: str, target: str = "/") -> str:
        """How a browser asks for a page of a site."""
        return f"http://{host}{SUFFIX}:{self._port}{target}"


def banner(page: Page) -> Locator:
    return page.locator("aside.sunset-notice")


def link(page: Page, name: str) -> Locator:
    """A link of the banner by its class: `moves`, `more`, or `hide`, which is one itself."""
    return banner(page).locator("a.sunset-notice-hide" if name == "hide" else f".sunset-notice-{name} a")


async def style_of(locator: Locator, *names: str) -> list[str]:
    """Computed values of CSS properties."""
    found: list[str] = await locator.evaluate("(one, names) => names.map(name => getComputedStyle(one)[name])", names)
    return found


async def watched(page: Page) -> dict[str, Any]:
    """The violations of policies so far, and by how much the page has moved under the eyes of its reader."""
    await page.evaluate(PAINTED_TWICE)
    found: dict[str, Any] = await page.evaluate("watched")
    return found


async def complaints(page: Page) -> list[str]:
    """What axe has against a page, node by node; also where it found that it could not tell contrast."""
    # Put in as a script of the window's own, it runs under every policy.
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def is_wider_than_window(page: Page) -> bool:
    """Whether one has to scroll sideways."""
    wider: bool = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wider
