"""Signing in by a real OpenID provider, in a real browser, at two replicas of the server that share a key.

Names of the sign-in host lead to the second replica and all others to the first, so each sign-in is of both.
"""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from cluster.proxy.harness import ADA, ADMIN, EVE, Certificate, System, free_port, running_agent, running_proxy
from cluster.proxy.openid_provider import (
    CLAIMED,
    NAMELESS,
    UNVERIFIED,
    running_provider,
)
from kupyterhub_proxy.settings import Settings
from kupyterhub_rules.names import base_name
from system.browser import running_chromium
from system.neighbours import OPEN_SOCKET, POST, READ, READ_OPAQUE, SUBMIT, Notebook, navigate

DOMAIN = "example.test"
ADAS, EVES = base_name(ADA), base_name(EVE)
PORTAL = "https://portal.example.test/"


# One browser, provider and pair of replicas serve all tests here; each has cookies of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


def of_module(fixture: Any) -> Any:
    """Make it once, on the loop that these tests share."""
    return pytest_asyncio.fixture(fixture, scope="module", loop_scope="module")


@of_module
async def chromium() -> AsyncIterator[Browser]:
    # The provider's own pages want a font from elsewhere.
    addresses = f"MAP login.{DOMAIN} 127.0.0.2, MAP *.{DOMAIN} 127.0.0.1, MAP *.googleapis.com ~NOTFOUND"
    async with running_chromium(f"--host-resolver-rules={addresses}", "--ignore-certificate-errors") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    async with await chromium.new_context() as context:
        yield await context.new_page()


@of_module
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The replica of users' hosts; the other one runs beside it."""
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    certificate = Certificate(folder, DOMAIN)
    (folder / "key").write_bytes(b"k" * 32)

    def judge_often(settings: Settings) -> Settings:
        return dataclasses.replace(settings, judged_seconds=0.1)

    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(running_provider(folder, f"https://login.{DOMAIN}:{port}"))
        environment = {
            **provider.environment(),
            "KUPYTERHUB_SESSION_KEY_FILE": str(folder / "key"),
            "KUPYTERHUB_PORTAL_URL": PORTAL,
        }
        replicas = [
            await stack.enter_async_context(
                running_proxy(
                    folder,
                    domain=DOMAIN,
                    certificate=certificate,
                    listen=(address, port),
                    environment=environment,
                    change=judge_often,
                )
            )
            for address in ("127.0.0.1", "127.0.0.2")
        ]
        yield replicas[0]


@of_module
async def served(proxy: System) -> AsyncIterator[dict[str, Notebook]]:
    """Ada's and Eve's, each behind an agent."""
    found = {ADA: Notebook(), EVE: Notebook()}
    async with AsyncExitStack() as stack:
        for email, notebook in found.items():
            server = await stack.enter_async_context(TestServer(notebook.app(), host="127.0.0.1"))
            settings = proxy.agent_settings(email, str(server.make_url("/")))
            await stack.enter_async_context(running_agent(settings, proxy))
            await proxy.publisher.until("registered", base_name(email))
        yield found


@pytest.fixture
def notebooks(served: dict[str, Notebook]) -> dict[str, Notebook]:
    """Those two, which nothing of this test has reached yet."""
    for notebook in served.values():
        notebook.reached.clear()
    return served


async def sign_in_there(page: Page, account: str) -> None:
    """Be somebody at the provider, whose page is shown, and agree that we may know."""
    await page.get_by_placeholder("Enter any login").fill(account)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def sign_in(page: Page, proxy: System, account: str, name: str = ADAS) -> None:
    """Open a host and sign in on the way."""
    await page.goto(str(proxy.url(name, "/lab?x=1#cell-5")))
    await sign_in_there(page, account)


async def test_an_owner_signs_in_once_and_each_cookie_is_of_one_host(
    proxy: System, notebooks: dict[str, Notebook], page: Page
) -> None:
    await sign_in(page, proxy, ADA)
    await expect(page).to_have_title("a notebook")
    assert page.url == str(proxy.url(ADAS, "/lab?x=1#cell-5"))
    assert notebooks[ADA].reached == ["GET /lab"]
    cookies = [cookie for cookie in await page.context.cookies() if str(cookie["name"]).find("kupyterhub") >= 0]
    assert {(cookie["name"], cookie["domain"]) for cookie in cookies} == {
        ("__Host-kupyterhub-session", f"{ADAS}.{DOMAIN}"),
        ("__Host-kupyterhub-session", f"login.{DOMAIN}"),
    }
    for cookie in cookies:
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    await page.goto(str(proxy.url("login")))
    await expect(page.get_by_text(ADA)).to_be_visible()
    await page.get_by_role("link", name="Open the notebook").click()
    await expect(page).to_have_title("a notebook")


async def test_a_stranger_is_told_who_they_are_signs_out_everywhere_and_in_as_another(
    proxy: System, notebooks: dict[str, Notebook], page: Page
) -> None:
    await sign_in(page, proxy, EVE)
    await expect(page.get_by_role("heading", name="This notebook belongs to somebody else")).to_be_visible()
    await expect(page.get_by_text(EVE)).to_be_visible()
    assert notebooks[ADA].reached == []
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await sign_in_there(page, ADA)
    await expect(page).to_have_title("a notebook")
    assert page.url == str(proxy.url(ADAS))


async def test_an_administrator_gets_the_session_of_that_host_only(
    proxy: System, notebooks: dict[str, Notebook], page: Page
) -> None:
    await sign_in(page, proxy, ADMIN)
    await expect(page).to_have_title("a notebook")
    hosts = {cookie["domain"] for cookie in await page.context.cookies() if "session" in str(cookie["name"])}
    assert f"{EVES}.{DOMAIN}" not in hosts
    for script, path in (
        (READ, "/files/a"),
        (READ_OPAQUE, "/files/a"),
        (POST, "/api/kernels"),
        (OPEN_SOCKET, "/socket"),
    ):
        assert not await page.evaluate(script, str(proxy.url(EVES, path))), script
    refused = await navigate(page, SUBMIT, str(proxy.url(EVES, "/api/kernels")))
    assert refused.status == 403
    assert notebooks[EVE].reached == []


async def test_a_neighbours_page_reaches_nothing_of_who_is_signed_in_on_both(
    proxy: System, notebooks: dict[str, Notebook], page: Page
) -> None:
    await sign_in(page, proxy, ADMIN)
    await expect(page).to_have_title("a notebook")
    await page.goto(str(proxy.url(EVES)))
    await expect(page).to_have_title("a notebook")
    notebooks[ADA].reached.clear()
    for script, path in (
        (READ, "/files/a"),
        (READ_OPAQUE, "/files/a"),
        (POST, "/api/kernels"),
        (OPEN_SOCKET, "/socket"),
    ):
        assert not await page.evaluate(script, str(proxy.url(ADAS, path))), script
    for path in ("/api/kernels", "/.kupyterhub/sign-out"):
        refused = await navigate(page, SUBMIT, str(proxy.url(ADAS, path)))
        assert refused.status == 403
        await page.go_back()
    refused = await navigate(page, SUBMIT, str(proxy.url("login", "/sign-out")))
    assert refused.status == 403
    assert notebooks[ADA].reached == []
    await page.goto(str(proxy.url(ADAS)))
    await expect(page).to_have_title("a notebook")


async def test_only_a_verified_email_comes_in(proxy: System, chromium: Browser) -> None:
    for account, said in (
        (UNVERIFIED, "Your e-mail address is not verified"),
        (CLAIMED, "Your e-mail address is not verified"),  # a text that says true
        (NAMELESS, "Your account has no e-mail address"),
    ):
        context = await chromium.new_context()
        page = await context.new_page()
        await sign_in(page, proxy, account)
        await expect(page.get_by_role("heading", name=said)).to_be_visible()
        assert not [cookie for cookie in await context.cookies() if "kupyterhub-session" in str(cookie["name"])]
        await page.get_by_role("link", name="Sign in as somebody else").click()
        await page.get_by_role("button", name="Yes, sign me out").click()
        await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        await context.close()


async def test_who_cancels_is_told_so_and_may_begin_again(proxy: System, page: Page) -> None:
    await page.goto(str(proxy.url(base_name(ADMIN))))
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    await page.get_by_role("link", name="Sign in again").click()
    await sign_in_there(page, ADMIN)
    await expect(page.get_by_role("heading", name="does not answer yet")).to_be_visible()
    way_on = page.get_by_role("link", name="start it")
    await expect(way_on).to_have_attribute("href", f"{PORTAL}?start={base_name(ADMIN)}")


async def test_neither_states_nor_codes_are_taken_twice_or_elsewhere(
    proxy: System, notebooks: dict[str, Notebook], page: Page, chromium: Browser
) -> None:
    urls: list[str] = []
    page.on("response", lambda answer: urls.append(answer.url))
    await sign_in(page, proxy, ADA)
    await expect(page).to_have_title("a notebook")
    (callback,) = (url for url in urls if "/callback?" in url)
    (session,) = (url for url in urls if "/.kupyterhub/session?" in url)
    run_out = page.get_by_role("heading", name="This sign-in has run out")
    await page.goto(callback)
    await expect(run_out).to_be_visible()
    await page.goto(str(proxy.url("login", "/callback?code=x&state=made-up")))
    await expect(run_out).to_be_visible()
    async with await chromium.new_context() as another:
        stranger = await another.new_page()
        await stranger.goto(callback)
        await expect(stranger.get_by_role("heading", name="This sign-in has run out")).to_be_visible()
        for url in (session, session.replace(ADAS, EVES)):
            await stranger.goto(url)
            await expect(stranger.get_by_placeholder("Enter any login")).to_be_visible()
    assert notebooks[ADA].reached == ["GET /lab"]
    assert notebooks[EVE].reached == []


async def test_signing_out_ends_what_other_tabs_have_open(
    proxy: System, notebooks: dict[str, Notebook], page: Page
) -> None:
    await sign_in(page, proxy, ADA)
    await expect(page).to_have_title("a notebook")
    await page.evaluate(
        """url => new Promise(done => {
             window.ended = new Promise(closed => {
               const socket = new WebSocket(url)
               socket.onopen = done
               socket.onclose = () => closed('closed')
             })
           })""",
        str(proxy.url(ADAS, "/socket")).replace("https", "wss"),
    )
    other = await page.context.new_page()
    await other.goto(str(proxy.url(ADAS, "/.kupyterhub/sign-out")))
    await other.get_by_role("button", name="Sign out").click()
    await other.get_by_role("button", name="Yes, sign me out").click()
    assert await page.evaluate("window.ended") == "closed"
    await page.goto(str(proxy.url(ADAS)))
    await expect(page.get_by_placeholder("Enter any login")).to_be_visible()


async def test_an_address_too_long_for_the_sign_in_is_opened_after_one_in_another_tab(
    proxy: System, notebooks: dict[str, Notebook], page: Page
) -> None:
    address = str(proxy.url(ADAS, f"/lab?x={'y' * 3000}#here"))
    await page.goto(address)
    await expect(page.get_by_role("heading", name="Sign in first")).to_be_visible()
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Sign in in another tab").click()
    tab = await opened.value
    await sign_in_there(tab, ADA)
    await expect(tab).to_have_title("a notebook")
    assert notebooks[ADA].reached == ["GET /"]
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page).to_have_title("a notebook")
    assert page.url == address
