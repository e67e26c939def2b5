"""A person at an open JupyterLab is warned before it is stopped for being unused, and keeps it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from cluster.proxy.conftest import jupyterlab  # noqa: F401 - a fixture
from cluster.proxy.harness import ADA, JupyterLab, altered, running_agent, running_proxy
from kupyterhub_agent.activity import Activity, ActivityRules
from kupyterhub_rules.names import base_name
from system.lab import sign_in

TIMEOUT = timedelta(seconds=8)
"""The warning comes half of that before the end."""
KEEP = re.compile("/.kupyterhub/keeping/keep")


@dataclass
class Scene:
    """Ada's JupyterLab in her browser."""

    page: Page
    activity: Activity
    stop: Callable[[], Awaitable[None]]

    @property
    def warning(self) -> Locator:
        return self.page.get_by_role("alertdialog", name="JupyterLab stops in")

    @property
    def keep(self) -> Locator:
        return self.warning.get_by_role("button", name="Keep it running")


@pytest.fixture
async def scene(tmp_path: Path, page: Page, jupyterlab: JupyterLab) -> AsyncIterator[Scene]:  # noqa: F811
    name = base_name(ADA)
    async with running_proxy(tmp_path) as system, AsyncExitStack() as agent:
        settings = system.agent_settings(ADA, jupyterlab.url, jupyter=jupyterlab.token)
        rules = ActivityRules(TIMEOUT)
        crowd = await agent.enter_async_context(running_agent(altered(settings, activity=rules), system))
        await system.publisher.until("registered", name)
        await page.goto(f"{system.origin(name)}/lab")
        await sign_in(page, ADA)
        # A page that loads slowly was warned meanwhile, and takes the focus as it gets ready.
        await expect(page.locator(".jp-LauncherCard").first).to_be_visible()
        async with page.expect_response(KEEP):
            await page.mouse.wheel(0, 1)
        yield Scene(page, crowd._members[name].activity, agent.aclose)


async def test_an_open_page_that_nobody_touches_is_warned_kept_by_a_button_or_any_key_and_told_of_its_end(
    scene: Scene,
) -> None:
    await expect(scene.warning).to_be_hidden()
    await expect(scene.warning).to_be_visible()
    await expect(scene.warning.get_by_role("timer")).to_have_text(re.compile("0:0[0-4]"))
    await expect(scene.keep).to_be_focused()
    await scene.keep.click()
    await expect(scene.warning).to_be_hidden()
    kept = scene.activity.last
    async with scene.page.expect_request(re.compile("/api/kernels")):
        pass  # the page asks by itself
    await expect(scene.warning).to_be_visible()
    assert scene.activity.last == kept

    await scene.page.keyboard.press("Enter")
    await expect(scene.warning).to_be_hidden()
    assert scene.activity.last > kept

    await expect(scene.warning).to_be_visible()
    kept = scene.activity.last
    await scene.page.keyboard.press("Escape")
    await expect(scene.warning).to_be_hidden()
    assert scene.activity.last == kept
    async with scene.page.expect_response(KEEP):
        await scene.page.locator("#jp-main-dock-panel").click()
    assert scene.activity.last > kept

    # One test, since a browser and JupyterLab take longer to load than all of this.
    await expect(scene.warning).to_be_visible()
    await scene.stop()
    said = scene.page.get_by_role("alert", name="JupyterLab was stopped")
    await expect(said).to_contain_text("Saved files are kept")
    await expect(said.get_by_role("link", name="Open it again")).to_have_attribute("href", scene.page.url)


LOOKS_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
"""As when somebody comes back to the tab."""


async def test_whose_sign_in_has_ended_is_told_in_the_page_and_goes_on_after_another(scene: Scene) -> None:
    page = scene.page
    ended = page.get_by_role("alert", name="Your sign-in has ended")
    await page.context.clear_cookies()
    await page.evaluate(LOOKS_AGAIN)
    await expect(ended).to_contain_text("Nothing is lost")

    async with page.expect_popup() as opened:
        await ended.get_by_role("link", name="Sign in").click()
    tab = await opened.value
    await sign_in(tab, ADA)
    await expect(tab.get_by_role("heading", name="You are signed in again")).to_be_visible()
    await tab.close()

    await page.evaluate(LOOKS_AGAIN)
    await expect(ended).to_be_hidden()


async def test_what_stands_behind_the_number_sign_of_an_address_is_kept_by_the_sign_in(
    tmp_path: Path, page: Page
) -> None:
    async with running_proxy(tmp_path) as system:
        address = f"{system.origin(base_name(ADA))}/lab/tree/a.ipynb?x=1#a-heading"
        await page.goto(address)
        await sign_in(page, ADA)
        await expect(page.get_by_role("heading", name="Your JupyterLab does not answer yet")).to_be_visible()
        assert page.url == address
