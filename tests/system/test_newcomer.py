"""What a newcomer sees in the browser."""

from playwright.async_api import Page, expect

from system.lab import new_notebook, run_cell, sign_in
from system.running import YOU, LocalSystem


async def test_the_printed_url_opens_a_jupyterlab_in_which_a_cell_runs(system: LocalSystem, page: Page) -> None:
    await page.goto(system.printed_url(YOU))
    await sign_in(page, YOU)
    await new_notebook(page)
    assert await run_cell(page, "print(6*7)") == "42"
    await expect(page.get_by_role("listitem", name="Untitled.ipynb")).to_be_visible()
    await expect(page.get_by_text("news")).to_have_count(0)


async def test_somebody_else_is_told_who_they_are_and_signs_out(system: LocalSystem, page: Page) -> None:
    url = system.printed_url(YOU)
    await page.goto(url)
    await sign_in(page, "eve@example.com")
    await expect(page.get_by_text("You are signed in as eve@example.com")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await expect(page.get_by_text("You are signed in")).to_have_count(0)
    await sign_in(page, YOU)
    await expect(page.locator("#jp-main-dock-panel")).to_be_visible()
