"""The only wiring of the agent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kupyterhub_agent.crowd import Addition, gathering
from kupyterhub_agent.directory.api import Access, Api
from kupyterhub_agent.directory.directory import Directory
from kupyterhub_agent.lease import Lease
from kupyterhub_agent.person import Person
from kupyterhub_agent.server_link import ServerLink
from kupyterhub_agent.settings import Everybody, Hosted, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from kupyterhub_agent.crowd import Crowd
    from kupyterhub_agent.settings import Settings


class Agent:
    """A running agent."""

    def __init__(self, crowd: Crowd, told: Callable[[], bool]) -> None:
        """`told` says whether the crowd has been told who is there."""
        self._crowd = crowd
        self._told = told
        self._settled = False

    def ready(self) -> bool:
        """Whether people's requests can arrive, and it is known who they are."""
        self._settled = self._settled or (self._told() and self._crowd.settled)
        return self._settled and self._crowd.link.ready

    async def drain(self, timeout_seconds: float) -> None:
        """Let what is under way end, at most this long."""
        await self._crowd.link.drain(timeout_seconds)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Agent]:
    """Run the agent of these settings meanwhile; raises OSError, and ExceptionGroup when a part of it fails."""
    match settings.serves:
        case Person() as person:
            async with _reached(settings, None) as crowd:
                await crowd.become({person.name: person})
                yield Agent(crowd, lambda: True)
        case Everybody() as everybody:
            access = Access(everybody.api)
            async with access.session() as session:
                api = Api(access, session)
                turn = Lease(api, everybody.namespace, settings.pod_uid)
                async with _reached(settings, turn) as crowd:
                    directory = Directory(api, everybody.namespace, crowd)
                    crowd.start(directory.run())
                    yield Agent(crowd, lambda: directory.told)


def _reached(settings: Settings, turn: Lease | None) -> AbstractAsyncContextManager[Crowd]:
    match settings.proxy:
        case Server() as server:
            return gathering(lambda forwarder, heard: ServerLink(server, forwarder, heard))
        case Hosted() as hosted:
            return _hosted(hosted, settings.pod_uid, turn)


# What this imports takes more memory than all else, and with our own server there is no need of it.


@asynccontextmanager
async def _hosted(hosted: Hosted, instance: str, turn: Lease | None) -> AsyncIterator[Crowd]:
    from kupyterhub_agent.hosted.link import HostedLink  # noqa: PLC0415 - see above
    from kupyterhub_agent.shim import endpoint as shim  # noqa: PLC0415 - see above
    from kupyterhub_tunnel.pubsub import PubSubPublisher  # noqa: PLC0415 - see above

    publisher = PubSubPublisher(hosted.topic)
    try:
        async with gathering(
            lambda forwarder, _: HostedLink(publisher, instance, forwarder, turn),
            lambda notebook, origin: [Addition(shim.Shim(notebook, origin), shim.SCRIPT)],
        ) as crowd:
            yield crowd
    finally:
        await publisher.close()
