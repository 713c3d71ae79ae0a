"""A real browser: `chromium`, the machine's own, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.peers.missing import peer_is_missing

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Everything that would call the browser's makers is switched off.
_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium_path(pytestconfig: pytest.Config) -> str:
    """Where the machine's Chromium lies."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        peer_is_missing(pytestconfig, "Chromium", f"none of {', '.join(_NAMES)} is installed")
    return path


@pytest.fixture
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    """A headless browser of this test alone, in the test's own event loop.

    It starts in about a second; people of one test are contexts: `await chromium.new_context()`.
    """
    # As root the kernel's sandbox refuses to start.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path, args=[*_FLAGS, *sandbox], headless=True
        )
        yield browser
        await browser.close()
