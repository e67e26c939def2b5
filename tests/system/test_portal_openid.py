"""Signing in at the portal by a real OpenID provider, in a real browser."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.async_api import Page, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from cluster.proxy.harness import ADA, free_port
from cluster.proxy.openid_provider import CLIENT_ID, CLIENT_SECRET, UNVERIFIED, running_provider
from kupyterhub import settings as files
from kupyterhub_portal import bootstrap
from kupyterhub_portal.settings import Oidc, PortalSettings
from kupyterhub_portal.store import Store

SETTINGS = """
domain: localhost:1
allowedEmails: ["*"]
selfEnrolment: true
images: {agent: a, jupyterlab: j}
profiles: {default: {}}
"""


class NobodyYet(Store):
    """A collection without documents: what is signed in to is another test's business."""

    def __init__(self) -> None:
        pass

    def get(self, user: str) -> None:
        return None

    def of_emails(self, emails: Any) -> list[Any]:
        return []


@pytest.fixture
def chromium_options() -> tuple[str, ...]:
    return ("--host-resolver-rules=MAP *.googleapis.com ~NOTFOUND",)  # the provider's pages want a font from there


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[str]:
    port = free_port()
    origin = f"http://localhost:{port}"
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(running_provider(tmp_path, origin))
        identity = Oidc(provider.issuer, CLIENT_ID, CLIENT_SECRET)
        settings = PortalSettings(origin, identity, b"k" * 32, files.parse(SETTINGS))
        answer = bootstrap.wired(settings, NobodyYet()).answer

        def app(environ: Any, start_response: Callable[..., Any]) -> Any:
            response: Response = answer(Request(environ))
            return response(environ, start_response)

        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield origin
        server.shutdown()
        thread.join()
        server.server_close()


async def sign_in_there(page: Page, account: str) -> None:
    """Be somebody at the provider, whose page is shown, and agree that we may know."""
    await page.get_by_placeholder("Enter any login").fill(account)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def test_one_signs_in_there_comes_back_to_where_one_was_and_signs_out(portal: str, page: Page) -> None:
    urls: list[str] = []
    page.on("response", lambda answer: urls.append(answer.url))
    await page.goto(f"{portal}/?start=another")
    await sign_in_there(page, ADA)
    await expect(page.get_by_role("heading", name="You have no server yet")).to_be_visible()
    await expect(page.get_by_text(ADA)).to_be_visible()
    assert page.url == f"{portal}/?start=another"
    # The code has served, and is nothing without the browser that asked for it.
    (callback,) = (url for url in urls if "/callback?" in url)
    for url in (callback, f"{portal}/callback?code=x&state=made-up", f"{portal}/callback"):
        await page.goto(url)
        await expect(page.get_by_role("heading", name="This sign-in has run out")).to_be_visible()
    await page.goto(portal)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


async def test_an_email_that_is_not_verified_does_not_come_in(portal: str, page: Page) -> None:
    await page.goto(portal)
    await sign_in_there(page, UNVERIFIED)
    await expect(page.get_by_role("heading", name="Your e-mail address is not verified")).to_be_visible()
    names = {str(cookie["name"]) for cookie in await page.context.cookies()}
    assert "kupyterhub-portal-session" not in names


async def test_who_cancels_is_told_so(portal: str, page: Page) -> None:
    await page.goto(portal)
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
