"""The link to Google's hosted service: all persons of this agent, on one event loop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

import aiohttp

from kupyterhub_agent.hosted.service import Place, Service
from kupyterhub_agent.hosted.serving import Serving, stop

if TYPE_CHECKING:
    from datetime import datetime

    from kupyterhub_agent.link import ForwarderFactory
    from kupyterhub_agent.person import Person
    from kupyterhub_agent.watch import Announcement
    from kupyterhub_tunnel.agent_events import Publisher

log = logging.getLogger(__name__)


class Turn(Protocol):
    """Who of several replicas serves: lease.Lease."""

    async def acquire(self) -> None:
        """Wait until it is this one's turn."""

    async def hold(self) -> None:
        """Return when it is no longer."""

    async def release(self) -> None:
        """Let another one have it at once."""


class HostedLink:
    """Serves whom it is told of. With a `turn` only while it has it; a successor registers everybody anew."""

    def __init__(
        self,
        publisher: Publisher,
        instance: str,
        forwarder: ForwarderFactory,
        turn: Turn | None = None,
        place: Place | None = None,
    ) -> None:
        self._publisher = publisher
        self._instance = instance
        self._forwarder = forwarder
        self._turn = turn
        self._place = place or Place()
        self._newest: dict[str, tuple[Person, Announcement]] = {}
        self._service: Service | None = None
        self._servings: dict[str, tuple[Serving, asyncio.Task[None]]] = {}

    @property
    def ready(self) -> bool:
        """Whether requests can arrive; also while another replica serves, or there is nobody to serve."""
        if self._turn is not None and not self._servings:
            return True
        return any(serving.ready for serving, _ in self._servings.values())

    async def run(self) -> None:
        """Serve until cancelled; with a turn, wait for it and begin anew each time it comes."""
        while True:
            if self._turn is not None:
                await self._turn.acquire()
            try:
                await self._serve()
            finally:
                if self._turn is not None:
                    await self._turn.release()

    async def announce(self, person: Person, announcement: Announcement) -> None:
        """Begin to serve a person, if that is new; publish what there is to say."""
        if announcement.type == "registered":
            self._newest[person.name] = (person, announcement)
        elif announcement.type == "lost":
            self._newest.pop(person.name, None)
        if self._service is not None:
            await self._told(self._service, person, announcement)

    async def used(self, person: Person, at: datetime) -> None:
        """Nobody else serves them."""

    async def withdraw(self, person: Person) -> None:
        """Break off what is carried for a person and register them no more."""
        self._newest.pop(person.name, None)
        if person.name in self._servings:
            _, task = self._servings.pop(person.name)
            await stop(task)

    async def drain(self, timeout_seconds: float) -> None:
        """Ask for no more requests, and wait for those under way at most this long."""
        await asyncio.gather(*(serving.drain(timeout_seconds) for serving, _ in self._servings.values()))

    async def _serve(self) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            self._service = service = Service.at(self._place, session, self._publisher, self._instance)
            watching = asyncio.create_task(service.watch_vm(self._place.vm_look_seconds))
            try:
                for person, announcement in list(self._newest.values()):
                    await self._told(service, person, announcement)
                await (self._turn.hold() if self._turn is not None else watching)
                log.warning("another replica serves now")
            finally:
                self._service = None
                servings, self._servings = self._servings, {}
                await stop(watching, *(task for _, task in servings.values()))

    async def _told(self, service: Service, person: Person, announcement: Announcement) -> None:
        known = self._servings.get(person.name)
        if known is not None and known[0].person != person:
            await stop(known[1])
            known = None
        if known is None:
            if announcement.type != "registered":
                return
            serving = Serving(person, service, self._forwarder)
            known = self._servings[person.name] = (serving, asyncio.create_task(serving.run()))
            known[1].add_done_callback(_note)
        known[0].announce(announcement)


def _note(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("a person is served no longer", exc_info=error)
