"""One running system for most tests, and a browser."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Error, Page

from needed import need
from system.browser import running_chromium
from system.running import LocalSystem


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A running system with one person, `YOU`; tests add others."""
    need("kubectl")
    running = LocalSystem(tmp_path_factory.mktemp("system") / "state")
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def chromium_options() -> tuple[str, ...]:
    """What else the browser is told; tests override it."""
    return ()


@pytest.fixture
async def chromium(chromium_options: tuple[str, ...]) -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with running_chromium(*chromium_options) as browser:
        yield browser


@pytest.fixture
async def page(chromium: Browser, tmp_path: Path) -> AsyncIterator[Page]:
    """A person's page; what it showed last is kept beside the test's files."""
    context = await chromium.new_context()
    page = await context.new_page()
    yield page
    with contextlib.suppress(Error):  # a browser under load may not be able to, and what was tested is over
        await page.screenshot(path=tmp_path / "last.png")
    print(f"what the browser showed last: {tmp_path / 'last.png'}")  # noqa: T201 - pytest shows it of failures
    await context.close()
