"""Two notebooks under one registrable domain over TLS: `same-site` to a real browser, but neighbours only.

(Names under `localhost` are different sites, which hides what would be wrong.)
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from cluster.proxy.harness import ADA, ADMIN, EVE, Certificate, System, running_agent, running_proxy
from kupyterhub_rules.names import base_name
from system.lab import sign_in
from system.neighbours import (
    BURDEN,
    EMBED,
    FOLLOW_LINK,
    OPEN_SOCKET,
    POST,
    READ,
    READ_OPAQUE,
    SUBMIT,
    Notebook,
    navigate,
)

DOMAIN = "example.test"


@pytest.fixture
def chromium_options() -> tuple[str, ...]:
    return (f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1", "--ignore-certificate-errors")


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[System]:
    async with running_proxy(tmp_path, domain=DOMAIN, certificate=Certificate(tmp_path, DOMAIN)) as running:
        yield running


@pytest.fixture
async def notebooks(proxy: System) -> AsyncIterator[dict[str, Notebook]]:
    """Ada's and Eve's, each behind an agent."""
    found = {ADA: Notebook(), EVE: Notebook()}
    async with AsyncExitStack() as stack:
        for email, notebook in found.items():
            server = await stack.enter_async_context(TestServer(notebook.app(), host="127.0.0.1"))
            settings = proxy.agent_settings(email, str(server.make_url("/")))
            await stack.enter_async_context(running_agent(settings, proxy))
            await proxy.publisher.until("registered", settings.serves.name)
        yield found


@pytest.fixture
async def eves_page(proxy: System, notebooks: dict[str, Notebook], page: Page) -> Page:
    """Eve's page in the browser of an administrator, who is signed in on Ada's host as well."""
    await page.goto(str(proxy.url(base_name(ADA))))
    await sign_in(page, ADMIN)
    await expect(page).to_have_title("a notebook")
    await page.goto(str(proxy.url(base_name(EVE))))
    await expect(page).to_have_title("a notebook")
    assert notebooks[ADA].reached == notebooks[EVE].reached == ["GET /"]
    notebooks[ADA].reached.clear()
    return page


async def test_a_script_reaches_its_own_notebook_and_no_other(
    proxy: System, notebooks: dict[str, Notebook], eves_page: Page
) -> None:
    for script, path in (
        (READ, "/files/a"),
        (READ_OPAQUE, "/files/a"),
        (POST, "/api/kernels"),
        (OPEN_SOCKET, "/socket"),
        (EMBED, "/files/a"),
    ):
        notebooks[EVE].reached.clear()
        await eves_page.evaluate(script, str(proxy.url(base_name(EVE), path)))
        assert notebooks[EVE].reached, script
        assert not await eves_page.evaluate(script, str(proxy.url(base_name(ADA), path))), script
        assert not notebooks[ADA].reached, script


async def test_a_form_posts_to_no_other_notebook_but_a_link_leads_there(
    proxy: System, notebooks: dict[str, Notebook], eves_page: Page
) -> None:
    post = await navigate(eves_page, SUBMIT, str(proxy.url(base_name(ADA), "/api/kernels")))
    assert post.status == 403
    assert not notebooks[ADA].reached
    await eves_page.go_back()
    link = await navigate(eves_page, FOLLOW_LINK, str(proxy.url(base_name(ADA), "/lab")))
    assert link.status == 200
    assert notebooks[ADA].reached == ["GET /lab"]


async def test_a_script_does_not_keep_a_browser_out_of_the_other_hosts(proxy: System, eves_page: Page) -> None:
    await eves_page.evaluate(BURDEN, [DOMAIN, ["/", "/lab", "/lab/"]])

    refused = await eves_page.goto(str(proxy.url(base_name(ADA), "/lab/tree/a.ipynb")))

    assert refused is not None
    assert refused.status == 431
    await expect(eves_page).to_have_title("a notebook")
    left = {cookie["name"] for cookie in await eves_page.context.cookies()}
    assert left == {"__Host-kupyterhub-session"}
