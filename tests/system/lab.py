"""The proxy's pages and JupyterLab as a person at a browser uses them."""

from playwright.async_api import Page, expect

# JupyterLab loads some megabytes, and a kernel starts.
expect.set_options(timeout=60_000)


async def sign_in(page: Page, email: str) -> None:
    """Say who one is, on the page that asks it."""
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await expect(page.get_by_text("one machine only")).to_be_visible()
    offered = page.get_by_role("button", name=email)
    if await offered.count():
        await offered.click()
    else:
        await page.get_by_role("textbox").fill(email)
        await page.get_by_role("button", name="Sign in").click()


async def new_notebook(page: Page) -> None:
    """Make a notebook from the launcher, and wait until its kernel is there."""
    await page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    # In the status bar: the notebook's own sign says idle before there is a kernel, and then a cell is not run.
    await expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible()


async def run_cell(page: Page, code: str) -> str:
    """Type into the last cell, run it, and return what it printed."""
    cell = page.locator(".jp-Notebook .jp-Cell").last
    await cell.locator(".cm-content").click()
    await page.keyboard.type(code)
    await page.keyboard.press("Shift+Enter")
    printed = page.locator(".jp-Notebook .jp-OutputArea-output").last
    await expect(printed).to_be_visible()
    return (await printed.inner_text()).strip()
