"""What axe-core finds in a page."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

from needed import npm_packages

SOURCE = Path(__file__).with_name("axe")


async def violations(page: Page) -> list[str]:
    """What it finds in a page as it is shown, each with the elements that it is about."""
    modules = await npm_packages(SOURCE, "axe-core")
    await page.evaluate((modules / "node_modules/axe-core/axe.min.js").read_text())
    found: dict[str, Any] = await page.evaluate("axe.run()")
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:100] for node in each['nodes']]}"
        for each in found["violations"]
    ]
