"""Replicas of the server that share a key and nothing else: a sign-in begun at one ends at another."""

import html
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from cluster.proxy.harness import ADA, HTML, Certificate, System, free_port, running_proxy
from cluster.proxy.openid_provider import running_provider
from kupyterhub_rules.names import base_name

DOMAIN = "hub.example"
FIRST, SECOND = "127.0.0.1", "127.0.0.2"
NAME = base_name(ADA)


class Balancer(AbstractResolver):
    """Leads every name to one replica, which tests change."""

    def __init__(self) -> None:
        self.replica = FIRST

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=self.replica, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.fixture(params=[False, True], ids=["e-mail of the userinfo", "e-mail of the ID token"])
async def system(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[System]:
    port, certificate = free_port(), Certificate(tmp_path, DOMAIN)
    (tmp_path / "key").write_bytes(b"k" * 32)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(
            running_provider(
                tmp_path, f"https://login.{DOMAIN}:{port}", claims_in_token=request.param, logout=request.param
            )
        )
        environment = {**provider.environment(), "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key")}
        systems = [
            await stack.enter_async_context(
                running_proxy(
                    tmp_path,
                    domain=DOMAIN,
                    certificate=certificate,
                    listen=(replica, port),
                    environment=environment,
                )
            )
            for replica in (FIRST, SECOND)
        ]
        yield systems[0]


async def test_a_provider_that_is_away_leaves_a_page_that_says_so(tmp_path: Path) -> None:
    port, certificate = free_port(), Certificate(tmp_path, DOMAIN)
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "secret").write_text("s3cret")
    environment = {
        "KUPYTERHUB_IDENTITY": "oidc",
        "KUPYTERHUB_OIDC_ISSUER": f"http://127.0.0.1:{free_port()}",
        "KUPYTERHUB_OIDC_CLIENT_ID": "client",
        "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
    }
    async with (
        running_proxy(
            tmp_path, domain=DOMAIN, certificate=certificate, listen=(FIRST, port), environment=environment
        ) as system,
        aiohttp.ClientSession(connector=system.connector()) as browser,
    ):
        async with browser.get(system.url(NAME), headers=HTML, allow_redirects=False) as answer:
            login = URL(answer.headers["Location"], encoded=True)
        async with browser.get(await led_on(browser, login), headers=HTML) as answer:
            status, text = answer.status, await answer.text()
        assert status == 503
        assert "The sign-in service does not answer" in text
        assert not [cookie for cookie in browser.cookie_jar if "attempt" in cookie.key]


async def led_on(browser: aiohttp.ClientSession, login: URL) -> URL:
    """Go where the sign-in host's page leads, which keeps what no server is sent of an address."""
    async with browser.get(login, headers=HTML, allow_redirects=False) as page:
        assert page.status == 200
        (link,) = re.findall(r'id="on" href="([^"]+)"', await page.text())
    return login.join(URL(html.unescape(link), encoded=True))


async def agreed_at_the_provider(browser: aiohttp.ClientSession, url: str) -> URL:
    """Sign in and agree at the provider, as a browser does; return where that leads."""
    provider = URL(url).origin()
    form = {"prompt": "login", "login": ADA, "password": "any"}
    for _ in range(2):
        async with browser.get(url) as page:
            (action,) = re.findall(r'action="([^"]+)" method="post"', await page.text())
        async with browser.post(action, data=form, allow_redirects=False) as answer:
            location = URL(answer.headers["Location"])
        async with browser.get(provider.join(location), allow_redirects=False) as answer:
            url = str(provider.join(URL(answer.headers["Location"], encoded=True)))
        form = {"prompt": "consent"}
    return URL(url, encoded=True)


async def test_a_sign_in_crosses_replicas_at_every_step(system: System) -> None:
    balancer = Balancer()
    connector = aiohttp.TCPConnector(resolver=balancer, ssl=system.tls or True, force_close=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:

        async def step(replica: str, url: URL) -> URL:
            balancer.replica = replica
            async with browser.get(url, headers=HTML, allow_redirects=False) as answer:
                assert answer.status == 303, await answer.text()
                return URL(answer.headers["Location"], encoded=True)

        login = await step(FIRST, system.url(NAME, "/lab"))
        begin = await led_on(browser, login)
        there = await step(SECOND, begin)
        callback = await agreed_at_the_provider(browser, str(there))
        assert callback.path == "/callback"
        session = await step(FIRST, callback)
        notebook = await step(SECOND, session)
        assert notebook == system.url(NAME, "/lab")
        for replica in (FIRST, SECOND):
            balancer.replica = replica
            async with browser.get(notebook, headers=HTML) as answer:
                assert answer.status == 503, "signed in, and no agent is there"
        # A code of ours that is used, at the replica that did not see it used: the nonce has gone with its first use.
        async with browser.get(session, headers=HTML, allow_redirects=False) as answer:
            assert "Set-Cookie" not in answer.headers
