"""The only wiring of the agent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kupyterhub_agent.crowd import gathering
from kupyterhub_agent.person import Person
from kupyterhub_agent.server_link import ServerLink
from kupyterhub_agent.settings import Hosted, Server, SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_agent.crowd import Connect, Crowd
    from kupyterhub_agent.settings import Settings


class Agent:
    """A running agent."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._settled = False

    def ready(self) -> bool:
        """Whether people's requests can arrive, and it is known who they are."""
        self._settled = self._settled or self._crowd.settled
        return self._settled and self._crowd.link.ready

    async def drain(self, timeout_seconds: float) -> None:
        """Let what is under way end, at most this long."""
        await self._crowd.link.drain(timeout_seconds)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Agent]:
    """Run the agent of these settings meanwhile; raises ExceptionGroup when a part of it fails."""
    async with gathering(_connect(settings)) as crowd:
        match settings.serves:
            case Person() as person:
                await crowd.become({person.name: person})
        yield Agent(crowd)


def _connect(settings: Settings) -> Connect:
    match settings.proxy:
        case Server() as server:
            return lambda forwarder, heard: ServerLink(server, forwarder, heard)
        case Hosted():
            raise SettingsError("KUPYTERHUB_PROXY is hosted, which this agent cannot do yet")
