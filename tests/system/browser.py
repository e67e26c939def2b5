"""The system's Chromium, without a window."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from needed import need

CHROMIUM_OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def running_chromium(*options: str) -> AsyncIterator[Browser]:
    """Run it with what else it is told."""
    program = need("chromium", "chromium-browser", "google-chrome")
    # Its sandbox does not work for root.
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=[*CHROMIUM_OPTIONS, *sandbox, *options]
        )
        yield browser
        await browser.close()
