"""axe-core, got once into the user's cache as its lock file says, and what it finds in a page."""

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from kupyterhub_local.components.cache import cached, user_cache
from system.running import need

SOURCE = Path(__file__).with_name("axe")


async def violations(page: Page) -> list[str]:
    """What axe finds in a page as it is shown, each with the elements that it is about."""
    modules = await cached(_folder(), _install)
    await page.evaluate((modules / "node_modules/axe-core/axe.min.js").read_text())
    found: dict[str, Any] = await page.evaluate("axe.run()")
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:100] for node in each['nodes']]}"
        for each in found["violations"]
    ]


def _folder() -> Path:
    lock = (SOURCE / "package-lock.json").read_bytes()
    return user_cache() / "axe-core" / hashlib.sha256(lock).hexdigest()[:16]


async def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    npm = await asyncio.create_subprocess_exec(
        *(need("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"), cwd=folder
    )
    assert await npm.wait() == 0, "npm could not install axe-core"
