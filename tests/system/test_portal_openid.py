"""Signing in once, by a real provider and in a real browser, opens notebook and portal, and signing out ends both."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from cluster.proxy.harness import ADA, ADMIN, Certificate, System, free_port, running_agent, running_proxy
from cluster.proxy.openid_provider import UNVERIFIED, running_provider
from kupyterhub import settings as files
from kupyterhub_portal import bootstrap
from kupyterhub_portal.settings import PortalSettings, SignInHost
from kupyterhub_portal.store import Store
from kupyterhub_proxy.portal_assertions import PortalAssertions
from kupyterhub_rules.names import base_name
from system.accessibility import violations
from system.neighbours import Notebook
from twins.keys import serving

DOMAIN = "example.test"
KEY = b"k" * 32
SESSION = "__Host-kupyterhub-portal-session"
SETTINGS = f"""
domain: localhost:1
allowedEmails: ["*"]
admins: [{ADMIN}]
selfEnrolment: true
images: {{agent: a, jupyterlab: j}}
profiles: {{default: {{}}}}
"""


class NobodyYet(Store):
    """A collection without documents: what is signed in to is another test's business."""

    def __init__(self) -> None:
        pass

    def get(self, user: str) -> None:
        return None

    def get_many(self, users: Any) -> list[Any]:
        return []

    def of_emails(self, emails: Any) -> list[Any]:
        return []


class Both(NamedTuple):
    """A portal and a notebook of Ada's under one domain."""

    portal: str
    proxy: System

    @property
    def notebook(self) -> str:
        return str(self.proxy.url(base_name(ADA), "/lab"))


@pytest.fixture
def chromium_options() -> tuple[str, ...]:
    # The provider's pages want a font from there.
    return (
        f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1, MAP *.googleapis.com ~NOTFOUND",
        "--ignore-certificate-errors",
    )


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    port, portals_port = free_port(), free_port()
    portal, login = f"https://portal.{DOMAIN}:{portals_port}", f"https://login.{DOMAIN}:{port}"
    certificate = Certificate(tmp_path, DOMAIN)
    (tmp_path / "key").write_bytes(KEY)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(running_provider(tmp_path, login))
        environment = {
            **provider.environment(),
            "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
            "KUPYTERHUB_PORTAL_URL": portal,
        }
        proxy = await stack.enter_async_context(
            running_proxy(
                tmp_path, domain=DOMAIN, certificate=certificate, listen=("127.0.0.1", port), environment=environment
            )
        )
        notebook = await stack.enter_async_context(TestServer(Notebook().app(), host="127.0.0.1"))
        await stack.enter_async_context(running_agent(proxy.agent_settings(ADA, str(notebook.make_url("/"))), proxy))
        await proxy.publisher.until("registered", base_name(ADA))
        # The same keys: only the browser knows where names of this domain lead.
        keys = stack.enter_context(serving(PortalAssertions(KEY, login, portal).keys))

        class ByAddress(SignInHost):
            keys_url = f"http://127.0.0.1:{keys.server_port}/"

        settings = PortalSettings(portal, ByAddress(login), KEY, files.parse(SETTINGS))
        stack.enter_context(_serving(settings, portals_port, certificate))
        yield Both(portal, proxy)


@contextmanager
def _serving(settings: PortalSettings, port: int, certificate: Certificate) -> Iterator[None]:
    answer = bootstrap.wired(settings, NobodyYet()).answer

    def app(environ: Any, start_response: Callable[..., Any]) -> Any:
        response: Response = answer(Request(environ))
        return response(environ, start_response)

    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=certificate.files)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


async def sign_in_there(page: Page, account: str) -> None:
    """Be somebody at the provider, whose page is shown, and agree that we may know."""
    await page.get_by_placeholder("Enter any login").fill(account)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


def nobodys_yet(page: Page) -> Any:
    return expect(page.get_by_role("heading", name="You have no server yet"))


async def test_one_signs_in_once_for_the_portal_and_the_notebook_and_out_of_both(both: Both, page: Page) -> None:
    await page.goto(f"{both.portal}/?start=another#here")
    await sign_in_there(page, ADA)
    await nobodys_yet(page).to_be_visible()
    await expect(page.get_by_text(ADA)).to_be_visible()
    assert page.url == f"{both.portal}/?start=another#here"
    await page.goto(both.notebook)
    await expect(page).to_have_title("a notebook")

    await page.goto(both.portal)
    copied = await page.context.cookies()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    # Copies of the cookies open nothing; that of the portal's session ends by its time.
    ours = [cookie for cookie in copied if "kupyterhub" in str(cookie["name"]) and cookie["name"] != SESSION]
    await page.context.add_cookies(ours)  # type: ignore[arg-type]
    for url in (both.notebook, both.portal):
        await page.goto(url)
        await expect(page.get_by_placeholder("Enter any login")).to_be_visible()


async def test_what_a_page_holds_is_kept_when_its_session_is_over(both: Both, page: Page) -> None:
    await page.clock.install()
    await page.goto(f"{both.portal}/people/add")
    await sign_in_there(page, ADMIN)
    await expect(page.get_by_role("heading", name="Add people")).to_be_visible()
    # With scripts nobody notices, neither on a page that follows something…
    await page.goto(both.portal)
    await page.evaluate("window.stays = true")
    await page.context.clear_cookies(name=SESSION)
    async with page.expect_response(lambda answer: answer.url.endswith("/state") and answer.ok):
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert await page.evaluate("window.stays")
    # … nor where something is typed.
    await page.goto(f"{both.portal}/people/add")
    await page.get_by_role("textbox").fill("nobody")
    await page.clock.fast_forward("06:00")
    await page.context.clear_cookies(name=SESSION)
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("heading", name="1 is no e-mail address")).to_be_visible()
    # Without them it is sent again after a sign-in in another tab, which is there at once.
    await page.goto(f"{both.portal}/people/add")
    await page.get_by_role("textbox").fill("nobody")
    await page.context.clear_cookies(name=SESSION)
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("heading", name="Sign in once more")).to_be_visible()
    assert await violations(page) == []
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Sign in in another tab").click()
    await nobodys_yet(await opened.value).to_be_visible()
    await page.get_by_role("button", name="Send it again").click()
    await expect(page.get_by_role("heading", name="1 is no e-mail address")).to_be_visible()


async def test_an_email_that_is_not_verified_comes_in_nowhere(both: Both, page: Page) -> None:
    await page.goto(both.portal)
    await sign_in_there(page, UNVERIFIED)
    await expect(page.get_by_role("heading", name="Your e-mail address is not verified")).to_be_visible()
    assert SESSION not in {str(cookie["name"]) for cookie in await page.context.cookies()}


async def test_who_cancels_is_told_so(both: Both, page: Page) -> None:
    await page.goto(both.portal)
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
