"""One Chromium and one server for all tests here, on the loop of the session: either takes a second to start."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browser.stages import stage
from tests.browser.visits import PATIENCE, WATCH, OpenWindow, Town

# No sandbox, because root may not have one; the rest keeps it from asking the world for anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        assert os.environ.get("CI") != "true", "chromium is not installed"
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town() -> AsyncIterator[Town]:
    async with stage() as server:
        yield Town(server)


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(chromium: Browser) -> AsyncIterator[OpenWindow]:
    async with AsyncExitStack() as windows:

        async def open_one(**how: Any) -> BrowserContext:
            window = await chromium.new_context(**how)
            windows.push_async_callback(window.close)
            window.set_default_timeout(PATIENCE * 1000)
            await window.add_init_script(WATCH)
            return window

        yield open_one


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_window: OpenWindow) -> Page:
    """A page in a window of its own."""
    return await (await open_window()).new_page()
