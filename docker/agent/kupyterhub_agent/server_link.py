"""The link to our own proxy server: a multiplexed connection to each of its replicas, for everybody we serve."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp

from kupyterhub_agent.exchange import StreamExchange, answer_text
from kupyterhub_agent.replicas import ByAddress, ByName, addresses
from kupyterhub_agent.served import Served, whom
from kupyterhub_agent.sign_outs import SignOuts
from kupyterhub_agent.visit import TOKEN_LOOK_SECONDS, Handlers, NoVisit, Visit
from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.memory import requests_at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_agent.link import ForwarderFactory
    from kupyterhub_agent.person import Person
    from kupyterhub_agent.settings import Server
    from kupyterhub_agent.visit import Target
    from kupyterhub_agent.watch import Announcement
    from kupyterhub_tunnel.stream import Stream

LEAVE_SECONDS = 1.0
"""So long a server may take to say that it sends no more."""

log = logging.getLogger(__name__)


class ServerLink:
    """Serves people over connections that it dials and keeps. A Link, and the Caller of its own dialling."""

    def __init__(
        self,
        server: Server,
        forwarder: ForwarderFactory,
        heard: Callable[[str, datetime], None],
        *,
        connector: Callable[[], aiohttp.BaseConnector] = aiohttp.TCPConnector,
        token_look_seconds: float = TOKEN_LOOK_SECONDS,
    ) -> None:
        """`heard` takes the name of a person and when they were active at another agent of theirs."""
        self._server = server
        self._forwarder = forwarder
        self._heard = heard
        self._connector = connector
        self._token_look_seconds = token_look_seconds
        self._people: dict[str, Served] = {}
        self._visits: set[Visit] = set()
        self._handlers = Handlers(self._serve, self._hear)
        self._most = requests_at_once()
        self._carried = 0
        self._sign_outs = SignOuts()
        self._leaving = False
        self._left = asyncio.Semaphore(0)
        self._session: aiohttp.ClientSession | None = None

    @property
    def ready(self) -> bool:
        """Whether the server can reach us."""
        return bool(self._visits)

    async def run(self) -> None:
        """Keep a connection to each replica."""
        url, service = self._server.url, self._server.service
        async with aiohttp.ClientSession(connector=self._connector()) as self._session:
            dialling = ByAddress(self, service, url, addresses) if service else ByName(self, url)
            await dialling.run()

    async def announce(self, person: Person, announcement: Announcement) -> None:
        """Tell every replica; a registration is told again on each new connection."""
        served = self._people.get(person.name)
        if served is None:
            served = Served(person, self._forwarder(person, self._server.origin(person.name)))
            self._people[person.name] = served
        # Whom nobody uses is served all the same: a replica that is new must hear that first.
        served.registered = None if announcement.type == "lost" else replace(announcement, type="registered")
        await self._tell(served.message(announcement))

    async def used(self, person: Person, at: datetime) -> None:
        """Let the server pass it on to other agents of this person."""
        if person.name in self._people:
            await self._tell({"type": "used", **whom(person), "at": at.isoformat()})

    async def withdraw(self, person: Person) -> None:
        """Say that they are lost, and end what is carried for them."""
        served = self._people.pop(person.name, None)
        if served is None:
            return
        served.end()
        if served.registered is not None:
            await self._tell(served.message(served.registered) | {"type": "lost"})

    async def drain(self, timeout_seconds: float) -> None:
        """Have new requests sent to other agents, and let those that are here end."""
        self._leaving = True
        asked = len(self._visits)
        await self._tell({"type": "leaving"})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                for _ in range(asked):
                    await self._left.acquire()
        await asyncio.gather(*(served.drain(timeout_seconds) for served in self._people.values()))
        await asyncio.gather(*(visit.end() for visit in self._visits))

    async def dial(self, target: Target) -> Visit:
        """Make a connection; raises NoVisit."""
        if self._leaving:
            raise NoVisit("this agent ends")
        assert self._session is not None  # noqa: S101 - run made it
        return await Visit.open(self._session, target, self._server.token_file, self._handlers)

    async def use(self, visit: Visit) -> None:
        """Tell a replica whom we serve, and serve them until the connection ends."""
        log.info("connected to a replica of %s", self._server.url)
        self._visits.add(visit)
        try:
            # First: at a replica that has heard of nothing yet, nobody's host may open before.
            for message in self._sign_outs.messages():
                await visit.tell(message)
            for served in list(self._people.values()):
                if served.registered is not None:
                    await visit.tell(served.message(served.registered))
            await visit.run(self._token_look_seconds)
        finally:
            self._visits.discard(visit)
        log.info("a replica of %s has ended its connection", self._server.url)

    async def _tell(self, message: dict[str, Any]) -> None:
        await asyncio.gather(*(visit.tell(message) for visit in self._visits))

    async def _serve(self, stream: Stream) -> None:
        served = self._people.get(stream.opening.name)
        if served is None:
            await stream.reset("this agent does not serve them")
            return
        if self._carried >= self._most:
            text = f"this agent carries {self._most} requests already"
            await answer_text(StreamExchange(stream), HTTPStatus.SERVICE_UNAVAILABLE, "", text)
            return
        self._carried += 1
        try:
            await served.carry(stream)
        finally:
            self._carried -= 1

    async def _hear(self, message: dict[str, Any]) -> None:
        """Take what the server says: of a person whom another agent serves as well, and who has signed out."""
        served = self._people.get(str(message.get("name")))
        try:
            match message.get("type"):
                case "newest" if served is not None:
                    served.hear(datetime.fromisoformat(message["registeredAt"]))
                case "used" if served is not None:
                    self._heard(served.person.name, datetime.fromisoformat(message["at"]))
                case "signedOut":
                    if self._sign_outs.take(message):
                        await self._tell(message)
                case "leaving":
                    self._left.release()
                case kind:
                    log.debug("the server says %s", kind)
        except (KeyError, ValueError, TypeError) as error:
            raise ProtocolError(f"the server's {message.get('type')} lacks a field or has a wrong one") from error
