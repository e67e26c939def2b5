"""One person at Google's service: registered, polled for, announced; and again when any of it changed."""

from __future__ import annotations

import asyncio
import logging
import random
from functools import partial
from typing import TYPE_CHECKING, Any

import tenacity

from kupyterhub_agent.hosted.announcing import Announcing
from kupyterhub_agent.hosted.backend import Backend
from kupyterhub_agent.hosted.errors import Forgotten, HostedError
from kupyterhub_agent.hosted.polling import Poller
from kupyterhub_tunnel.agent_events import AgentEvent

if TYPE_CHECKING:
    from kupyterhub_agent.exchange import Exchange
    from kupyterhub_agent.forward import Forwarder
    from kupyterhub_agent.hosted.registration import Registration
    from kupyterhub_agent.hosted.service import Service
    from kupyterhub_agent.link import ForwarderFactory
    from kupyterhub_agent.person import Person
    from kupyterhub_agent.watch import Announcement

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 60.0

log = logging.getLogger(__name__)

_until_registered = tenacity.AsyncRetrying(
    retry=tenacity.retry_if_exception_type(HostedError),
    wait=tenacity.wait_random_exponential(multiplier=0.5, max=60),
    before_sleep=lambda state: log.warning("not registered: %s", state.outcome and state.outcome.exception()),
)


class Serving:
    """Runs until cancelled. `announce` may be called before and meanwhile."""

    def __init__(self, person: Person, service: Service, forwarder: ForwarderFactory) -> None:
        self.person = person
        self.ready = False
        """Whether the service knows this person, as far as is known."""
        self._service = service
        self._make_forwarder = forwarder
        self._announcing = Announcing(service.publisher)
        self._newest: Announcement | None = None
        self._origin = ""
        self._forwarder: Forwarder | None = None
        self._poller = Poller(person.name, self._answer)

    def announce(self, announcement: Announcement) -> None:
        """Publish it with the person's URL, now or once there is one."""
        if announcement.type != "idle":
            self._newest = announcement if announcement.type == "registered" else None
        self._say(announcement)

    async def run(self) -> None:
        """Register, poll, and register again when the service has forgotten that or the VM is another."""
        publishing = asyncio.create_task(self._announcing.run())
        session = self._service.person_session()
        try:
            pause = SHORTEST_PAUSE_SECONDS
            while True:
                moved = self._service.moved
                registration = await self._register()
                if await self._poll(Backend(session, self._service.credentials, registration), moved):
                    pause = SHORTEST_PAUSE_SECONDS
                # A service that registers and forgets at once is not asked without end.
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            await stop(publishing)
            await self._poller.close()
            await session.close()

    async def drain(self, timeout_seconds: float) -> None:
        """Ask for no more requests, and wait for those under way at most this long."""
        await self._poller.drain(timeout_seconds)

    async def _register(self) -> Registration:
        register = partial(self._service.registrar.register, self.person.email)
        registration: Registration = await _until_registered.copy()(register)
        if registration.origin != self._origin:
            log.info("%s is at %s", self.person.name, registration.origin)
            self._origin = registration.origin
            self._forwarder = self._make_forwarder(self.person, self._origin)
            if self._newest is not None:
                self._say(self._newest)
        return registration

    async def _poll(self, backend: Backend, moved: asyncio.Event) -> bool:
        """Poll while the registration holds; say whether it ever did."""
        held = False

        def polled() -> None:
            nonlocal held
            held = True

        self.ready = True
        polling = asyncio.create_task(self._poller.poll(backend, polled))
        elsewhere = asyncio.create_task(moved.wait())
        try:
            await asyncio.wait({polling, elsewhere}, return_when=asyncio.FIRST_COMPLETED)
            if polling.done():
                polling.result()
        except Forgotten as error:
            log.warning("%s is registered again: %s", self.person.name, error)
            self._service.credentials.forget()
        finally:
            self.ready = False
            await stop(polling, elsewhere)
        return held

    async def _answer(self, exchange: Exchange) -> None:
        assert self._forwarder is not None  # noqa: S101 - polling follows registration
        await self._forwarder.serve(exchange)

    def _say(self, announcement: Announcement) -> None:
        if self._origin:
            person, service = self.person, self._service
            self._announcing.put(
                AgentEvent(
                    type=announcement.type,
                    user=person.user,
                    name=person.name,
                    instance=service.instance,
                    proxy_url=f"{self._origin}/",
                    # This agent may have watched for long before it began to serve.
                    registered_at=max(announcement.registered_at, service.since),
                    last_activity=announcement.last_activity,
                )
            )


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended, however they do."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
