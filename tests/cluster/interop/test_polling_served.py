"""The whole server with an agent that polls: who is let in, and what it is told of who asks."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from cluster.interop.conftest import listening
from cluster.proxy.harness import ADA, ADMIN, HTML, Browser, System, running_proxy
from kupyterhub_rules.names import base_name
from twins.google_vm import SERVICE_ACCOUNT, google_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kupyterhub_proxy.settings import Settings

NAME = base_name(ADA)
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@pytest.fixture
async def open_to_google(tmp_path: Path) -> AsyncIterator[System]:
    """A server that lets an agent of Google's serve Ada."""
    path = tmp_path / "google-agents.json"
    path.write_text(json.dumps([{"serviceAccount": SERVICE_ACCOUNT, "names": [NAME]}]))
    async with listening(google_keys().serve) as google:

        def change(settings: Settings) -> Settings:
            assert settings.google_agents is not None
            own = dataclasses.replace(settings.google_agents, certificates_url=f"http://{google}/")
            return dataclasses.replace(settings, google_agents=own)

        environment = {"KUPYTERHUB_GOOGLE_AGENTS": str(path)}
        async with running_proxy(tmp_path, environment=environment, change=change) as system:
            yield system


@pytest.fixture
async def person(open_to_google: System) -> AsyncIterator[Browser]:
    browser = Browser(open_to_google)
    yield browser
    await browser.close()


def asking(browser: Browser, method: str, path: str, request_id: str = "", label: str = "agents", **more: Any) -> Any:
    headers = {
        "X-Inverting-Proxy-Backend-ID": NAME,
        "X-Inverting-Proxy-VM-ID": google_keys().token(f"{browser.system.origin('agents')}/"),
        **({"X-Inverting-Proxy-Request-ID": request_id} if request_id else {}),
    }
    return browser.session.request(method, browser.system.url(label, path), headers=headers, **more)


async def browse(person: Browser) -> str:
    """What a browser is shown once there is an agent."""
    while True:
        async with person.request("GET", NAME, "/lab", headers=HTML) as answer:
            if answer.status != 503:
                return await answer.text()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("email", [ADA, ADMIN])
async def test_an_agent_is_told_who_asks_and_since_when(person: Browser, email: str) -> None:
    await person.sign_in(email, NAME)
    browsing = asyncio.create_task(browse(person))
    async with asking(person, "GET", "/agent/pending") as answer:
        (request_id,) = await answer.json()
    async with asking(person, "GET", "/agent/request", request_id) as carried:
        assert carried.headers["X-Inverting-Proxy-User-ID"] == email
        assert carried.headers["X-Inverting-Proxy-Request-Start-Time"].endswith("000Z")
        carried_request = await carried.text()
    assert "kupyterhub-session" not in carried_request
    async with asking(person, "POST", "/agent/response", request_id, data=ANSWER) as taken:
        assert taken.status == 200
    assert await browsing == "hello"


async def test_a_users_own_host_serves_no_agents(person: Browser) -> None:
    async with asking(person, "GET", "/agent/pending", label=NAME) as answer:
        assert answer.status == 401
        assert "sign in" in await answer.text()


async def test_without_the_setting_no_agent_may_poll(tmp_path: Path) -> None:
    async with running_proxy(tmp_path) as system:
        browser = Browser(system)
        async with asking(browser, "GET", "/agent/pending") as answer:
            assert answer.status == 404
        await browser.close()
