"""Fixtures: Google's side, a notebook's stand-in, an agent in hosted mode, a person's browser."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from cluster.hosted.google import Google, running_google
from cluster.proxy.backend import backend_app
from cluster.proxy.harness import ADA, StrictPublisher, eventually
from kupyterhub_agent.forward import Forwarder
from kupyterhub_agent.hosted.link import HostedLink, Turn
from kupyterhub_agent.hosted.service import Place
from kupyterhub_agent.notebook import Location, Notebook, notebook_session
from kupyterhub_agent.person import Person
from kupyterhub_agent.shim import endpoint as shim
from kupyterhub_agent.watch import Announcement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def person(email: str, backend: str, token: str = "t") -> Person:  # noqa: S107 - it opens a stand-in
    name = email.partition("@")[0]
    return Person(name, f"u-{name}", email, URL(backend), lambda: token)


def registered() -> Announcement:
    return Announcement("registered", datetime.now(UTC))


@dataclass
class Agent:
    """A link to the service, and what makes the people on it."""

    google: Google
    session: aiohttp.ClientSession
    turn: Turn | None = None
    limits: shim.Limits = shim.NORMAL
    publisher: StrictPublisher = field(default_factory=StrictPublisher)

    def __post_init__(self) -> None:
        place = Place(self.google.metadata_host, f"{self.google.service.url}/proxy-agent-config.json", 0.1)
        self.link = HostedLink(self.publisher, "pod-1", self._forwarder, self.turn, place)

    def _forwarder(self, person: Person, origin: str) -> Forwarder:
        notebook = Notebook(Location(person.backend, person.token), self.session)
        return Forwarder(notebook, origin, [shim.Shim(notebook, origin, self.limits)], [shim.SCRIPT])

    async def serve(self, *people: Person) -> None:
        """Announce people, and wait until they are reached."""
        for one in people:
            await self.link.announce(one, registered())
        await eventually(lambda: all(self.google.service.polling[one.email] for one in people))


@contextlib.asynccontextmanager
async def running_agent(google: Google, turn: Turn | None = None, **more: Any) -> AsyncIterator[Agent]:
    async with notebook_session() as session:
        agent = Agent(google, session, turn, **more)
        task = asyncio.create_task(agent.link.run())
        try:
            yield agent
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with running_google() as running:
        yield running


@pytest.fixture
async def notebook() -> AsyncIterator[TestServer]:
    server = TestServer(backend_app(), host="127.0.0.1")
    await server.start_server(access_log=None)
    yield server
    await server.close()


@pytest.fixture
def ada(notebook: TestServer) -> Person:
    return person(ADA, str(notebook.make_url("/")))


@pytest.fixture
async def agent(google: Google, ada: Person) -> AsyncIterator[Agent]:
    """An agent that serves Ada."""
    async with running_agent(google) as running:
        await running.serve(ada)
        yield running


class Browser:
    """A person's browser, signed in with Google."""

    def __init__(self, google: Google, session: aiohttp.ClientSession) -> None:
        self._google = google
        self._session = session

    def request(self, method: str, target: str, email: str = ADA, **more: Any) -> Any:
        hostname = self._google.service.hostname(email)
        headers = {"Host": hostname, **more.pop("headers", {})}
        if method not in {"GET", "HEAD"}:
            headers.setdefault("Origin", f"https://{hostname}")
        url = URL(f"{self._google.front}{target}", encoded=True)
        return self._session.request(method, url, headers=headers, allow_redirects=False, **more)

    async def shim(self, action: str, body: Any, **headers: str) -> tuple[int, Any]:
        headers = {"X-Websocket-Shim-Version": "1", **headers}
        more = {"data": body} if isinstance(body, str) else {"json": body}
        async with self.request("POST", f"{shim.PREFIX}{action}", headers=headers, **more) as answer:
            typed = answer.headers["Content-Type"] == "application/json"
            return answer.status, await (answer.json() if typed else answer.text())


@pytest.fixture
async def browser(google: Google) -> AsyncIterator[Browser]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(auto_decompress=False, connector=connector) as session:
        yield Browser(google, session)
