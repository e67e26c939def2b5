"""Which replicas of the proxy server are dialled, and when again: any of them must be able to serve anybody."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Protocol

from yarl import URL

from kupyterhub_agent.pause import Pause
from kupyterhub_agent.visit import NoVisit, Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kupyterhub_agent.visit import Visit

RESOLVE_SECONDS = 10.0
FIRST_RESOLVE_SECONDS = 1.0
"""Between looks while nobody is there: nobody is served meanwhile."""

log = logging.getLogger(__name__)


class Caller(Protocol):
    """Dials for a link."""

    async def dial(self, target: Target) -> Visit:
        """Make a connection; raises NoVisit."""

    async def use(self, visit: Visit) -> None:
        """Use a connection until it ends."""


class ByAddress:
    """Keeps a connection to each address of the headless Service `service`, asked for as `host`."""

    def __init__(
        self,
        caller: Caller,
        service: URL,
        host: URL,
        resolve: Callable[[URL], Awaitable[frozenset[str]]],
        resolve_seconds: float = RESOLVE_SECONDS,
    ) -> None:
        self._caller = caller
        self._service = service
        self._host = host
        self._resolve = resolve
        self._resolve_seconds = resolve_seconds
        self._addresses: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look who is there, again and again. Who has left DNS is dialled no more, but may end what it carries."""
        keepers: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    self._addresses = await self._resolve(self._service)
                except OSError as error:
                    log.warning("%s does not resolve: %s", self._service.host, error)
                keepers = {address: task for address, task in keepers.items() if not task.done()}
                for address in self._addresses - keepers.keys():
                    keepers[address] = group.create_task(self._keep(address))
                await asyncio.sleep(self._resolve_seconds if self._addresses else FIRST_RESOLVE_SECONDS)

    async def _keep(self, address: str) -> None:
        target = Target(self._service.with_host(address), self._host)
        pause = Pause()
        while address in self._addresses:
            with pause.attempt():
                try:
                    await self._caller.use(await self._caller.dial(target))
                except NoVisit as error:
                    log.warning("%s", error)
            await pause.wait()


class ByName:
    """Dials `agents.<domain>` until each of the replicas that answer there has been met."""

    def __init__(self, caller: Caller, url: URL) -> None:
        self._caller = caller
        self._target = Target(url, url)
        self._held: dict[str, asyncio.Task[None]] = {}
        self._wanted = 1
        self._pause = Pause()

    async def run(self) -> None:
        """Keep a connection to each replica. Who answers is chance, so some answer twice; the second is let go."""
        async with asyncio.TaskGroup() as group:
            while True:
                if len(self._running()) < self._wanted:
                    await self._dial(group)
                else:
                    await asyncio.wait(self._running().values(), return_when=asyncio.FIRST_COMPLETED)
                await self._pause.wait()

    async def _dial(self, group: asyncio.TaskGroup) -> None:
        try:
            visit = await self._caller.dial(self._target)
        except NoVisit as error:
            log.warning("%s", error)
            return
        self._wanted = visit.replicas
        if visit.replica in self._running():
            await visit.close()
        else:
            self._held[visit.replica] = group.create_task(self._use(visit))

    async def _use(self, visit: Visit) -> None:
        with self._pause.attempt():
            await self._caller.use(visit)

    def _running(self) -> dict[str, asyncio.Task[None]]:
        self._held = {replica: task for replica, task in self._held.items() if not task.done()}
        return self._held


async def addresses(service: URL) -> frozenset[str]:
    """Resolve the Service's name; raises OSError. No addresses is an error of DNS too."""
    found = await asyncio.get_running_loop().getaddrinfo(service.host, service.port, type=socket.SOCK_STREAM)
    return frozenset(str(address[0]) for *_, address in found)
