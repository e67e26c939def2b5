"""Pictures of the portal's main pages for docs/pictures, taken of a system that is started for it."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from kupyterhub_local.users import document_id
from system import lab
from system.browser import running_chromium
from system.running import LocalSystem

PICTURES = Path(__file__).parents[2] / "docs/pictures"
PERSON, ADMIN = "ada.lovelace@example.com", "admin@example.com"
NAMES = ("Grace Hopper", "Katherine Johnson", "Mary Jackson", "Annie Easley", "Radia Perlman")
READY = 180_000


async def take(system: LocalSystem) -> None:
    """Take them all."""
    portal = system.environment["PORTAL_URL"]
    users = system.firestore.collection("users")
    for number, name in enumerate(NAMES):
        email = f"{name.replace(' ', '.').lower()}@example.com"
        state = {"profile": "huge"} if number == 1 else {"state": "stopped"} if number else {}
        users.document(document_id(email)).set({"email": email, "displayName": name, **state})
    async with running_chromium() as chromium:
        person = await _page(chromium, width=820, height=520)
        await person.goto(portal)
        await _picture(person, "sign-in")
        await lab.sign_in(person, PERSON)
        await person.get_by_role("button", name="Get a server").click()
        await expect(person.get_by_role("list", name="Progress")).to_be_visible()
        await _picture(person, "starting")
        await expect(person.get_by_role("link", name="Open JupyterLab")).to_be_visible(timeout=READY)
        await _picture(person, "running")

        phone = await _page(chromium, width=390, height=740, color_scheme="dark")
        await phone.goto(portal)
        await lab.sign_in(phone, PERSON)
        await _picture(phone, "running-on-a-phone")

        admin = await _page(chromium, width=1100, height=760)
        await admin.goto(portal)
        await lab.sign_in(admin, ADMIN)
        await admin.goto(f"{portal}/people")
        await expect(admin.get_by_role("list", name="How many there are")).to_be_visible()
        await _picture(admin, "everybody")
        await admin.goto(f"{portal}/people/add")
        await admin.get_by_role("textbox").fill("Dorothy Vaughan <dorothy.vaughan@example.com>\nsophie@example.com")
        await _picture(admin, "add-people")


async def _page(chromium: Browser, *, width: int, height: int, color_scheme: str = "light") -> Page:
    scheme = "dark" if color_scheme == "dark" else "light"
    context = await chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    return await context.new_page()


async def _picture(page: Page, name: str) -> None:
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        running = LocalSystem(Path(folder) / "state")
        try:
            running.start()
            asyncio.run(take(running))
        finally:
            running.close()
