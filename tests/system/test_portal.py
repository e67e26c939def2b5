"""The portal in a real browser: a person's way to a running notebook, and an administrator's day."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from kupyterhub_local.users import document_id
from system import lab
from system.accessibility import violations
from system.running import LocalSystem

ADMIN = "admin@example.com"
STARTED = 150_000
CHANGED = 90_000
PEOPLE = [f"portal{number:02}@example.com" for number in range(50)]


@pytest.fixture
async def admin(chromium: Browser, system: LocalSystem) -> AsyncIterator[Page]:
    """An administrator's page, on a phone that is set to dark."""
    context = await chromium.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = await context.new_page()
    await page.goto(system.environment["PORTAL_URL"])
    await page.get_by_role("button", name=ADMIN).click()
    yield page
    await context.close()


@pytest.fixture
def no_room(system: LocalSystem) -> Iterator[None]:
    """Nobody else's notebook gets a place: fifty that start would keep this machine busy for minutes."""
    system.kubectl("create", "quota", "no-room", "--hard=pods=0")
    yield
    system.kubectl("delete", "quota", "no-room")


async def sign_in(page: Page, system: LocalSystem, email: str, path: str = "/") -> None:
    await page.goto(f"{system.environment['PORTAL_URL']}{path}")
    await lab.sign_in(page, email)


async def test_a_person_enrols_waits_works_stops_and_starts(
    page: Page, chromium: Browser, system: LocalSystem
) -> None:
    mistakes: list[str] = []
    page.on("console", lambda message: mistakes.append(message.text) if message.type == "error" else None)
    await sign_in(page, system, "portal@example.com")
    await expect(page.get_by_role("heading", name="You have no server yet")).to_be_visible()
    await page.get_by_role("button", name="Get a server").click()
    await expect(page.get_by_role("heading", name="Starting")).to_be_visible()
    await expect(page.get_by_role("list", name="Progress")).to_be_visible()
    assert await violations(page) == []
    # The page follows by itself.
    open_it = page.get_by_role("link", name="Open JupyterLab")
    await expect(open_it).to_be_visible(timeout=STARTED)
    await expect(page.get_by_role("heading", name="Your server is running")).to_be_visible()
    assert await violations(page) == []
    assert mistakes == []

    stranger = await (await chromium.new_context()).new_page()
    url = str(await open_it.get_attribute("href"))
    await stranger.goto(url)
    await lab.sign_in(stranger, "stranger@example.com")
    await expect(stranger.get_by_role("heading", name="belongs to somebody else")).to_be_visible()
    await stranger.goto(system.environment["PORTAL_URL"])
    await expect(stranger.get_by_role("heading", name="You have no server yet")).to_be_visible()
    assert "portal@example.com" not in await stranger.content()

    # Who has signed in for the portal has for the notebook, too.
    await open_it.click()
    await lab.new_notebook(page)
    assert await lab.run_cell(page, "print(6 * 7)") == "42"

    await page.goto(system.environment["PORTAL_URL"])
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("heading", name="Your server is stopped")).to_be_visible(timeout=CHANGED)
    # Whoever opens the notebook now is led here.
    await page.goto(url)
    await page.get_by_role("link", name="start it").click()
    await page.get_by_role("button", name="Start").press("Enter")
    await expect(page.get_by_role("link", name="Open JupyterLab")).to_be_visible(timeout=STARTED)
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("heading", name="Your server is stopped")).to_be_visible(timeout=CHANGED)

    # Signing out is of both, too, and one comes back as whoever one says then.
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await page.goto(url)
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await sign_in(page, system, "stranger@example.com")
    await expect(page.get_by_text("stranger@example.com")).to_be_visible()


@pytest.mark.usefixtures("no_room")
async def test_a_page_that_follows_leads_to_the_sign_in_once_that_is_over(page: Page, system: LocalSystem) -> None:
    await sign_in(page, system, "portal-follows@example.com")
    await page.get_by_role("button", name="Get a server").click()
    await expect(page.get_by_role("list", name="Progress")).to_be_visible()
    await page.context.clear_cookies()
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible(timeout=CHANGED)
    await lab.sign_in(page, "portal-follows@example.com")
    await expect(page.get_by_role("heading", name="Starting")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    system.document_of("portal-follows@example.com").update({"state": "deleted"})


@pytest.mark.usefixtures("no_room")
async def test_an_administrator_adds_fifty_finds_and_deletes_them(admin: Page, system: LocalSystem) -> None:
    await admin.get_by_role("link", name="Add people").click()
    await admin.get_by_role("textbox").fill(", ".join([*PEOPLE, "no address"]))
    assert await violations(admin) == []
    await admin.get_by_role("button", name="Add").click()
    await expect(admin.get_by_role("heading", name="50 people were added")).to_be_visible()
    await expect(admin.get_by_role("heading", name="2 are no e-mail addresses")).to_be_visible()

    async def found(part: str, phase: str = "") -> int:
        query = f"/people?part={part}&phase={phase}"
        await admin.goto(f"{system.environment['PORTAL_URL']}{query}")
        return await admin.locator("tbody tr").count()

    # They are found as soon as the controller has looked at them.
    for _ in range(60):
        if await found("portal") >= 50:
            break
        await admin.wait_for_timeout(1000)
    assert await found("portal0") == 10
    await admin.goto(f"{system.environment['PORTAL_URL']}/people?part=portal")
    await admin.get_by_role("checkbox", name="Everybody on this page").check()
    assert await violations(admin) == []
    await expect(admin.get_by_text(re.compile(r"\d+ chosen"))).to_be_visible()
    await admin.get_by_role("button", name="Delete…").click()
    await expect(admin.get_by_role("heading", name=re.compile(r"Delete \d+ people\?"))).to_be_visible()
    assert await violations(admin) == []
    await admin.get_by_role("button", name="Delete", exact=True).click()
    await expect(admin.get_by_text(re.compile(r"\d+ people are being deleted"))).to_be_visible()
    for _ in range(90):
        if await found("portal", "Deleted") >= 50:
            break
        await admin.wait_for_timeout(1000)
    assert await found("portal", "Deleted") >= 50


async def test_why_somebody_is_rejected_is_shown_and_mended(admin: Page, system: LocalSystem) -> None:
    document = system.firestore.collection("users").document(document_id("typo@example.com"))
    document.set({"email": "typo@example.com", "profile": "hgue", "state": "running"})
    page = f"{system.environment['PORTAL_URL']}/person?id={document.id}"
    for _ in range(60):
        await admin.goto(page)
        if await admin.get_by_text("UnknownProfile").count():
            break
        await admin.wait_for_timeout(500)
    await expect(admin.get_by_text("profile: there is no 'hgue'").first).to_be_visible()
    assert await violations(admin) == []
    document.update({"state": "stopped"})
    await admin.goto(page)
    await admin.get_by_label("Kind of server").select_option("default")
    await admin.get_by_role("button", name="Choose").click()
    await expect(admin.get_by_text("Saved.")).to_be_visible()
    assert "profile" not in (document.get().to_dict() or {})


async def test_pages_read_well_in_light_too(page: Page, system: LocalSystem) -> None:
    await page.goto(system.environment["PORTAL_URL"])
    assert await violations(page) == []
    await page.get_by_role("button", name=ADMIN).click()
    for path in ("/", "/people", "/people/add", "/nowhere"):
        await page.goto(f"{system.environment['PORTAL_URL']}{path}")
        await page.wait_for_load_state("networkidle")
        assert await violations(page) == [], path
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{path} is wider than its window"
