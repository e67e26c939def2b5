"""Starts services, waits for their health, starts again what dies, and stops all in order."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kupyterhub_local import process
from kupyterhub_local.errors import NotReady
from kupyterhub_local.process import Child
from kupyterhub_local.progress import Say

READY_SECONDS = 120.0
READY_POLL_SECONDS = 0.05
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0


@dataclass(frozen=True)
class Service:
    """A program that runs as long as the system does.

    `command` is asked for at each start. `ready` looks once whether it is healthy. Those named in `needs` are stopped
    only after it. It need not wait for their start: `ready` does.
    """

    name: str
    command: Callable[[], Sequence[str]]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: Collection[str] = ()


class Supervisor:
    """The services that were started, each with a task that looks after it."""

    def __init__(self, logs: Path, say: Say) -> None:
        self._logs = logs
        self._say = say
        self._services: dict[str, Service] = {}
        self._children: dict[str, Child] = {}
        self._guards: dict[str, asyncio.Task[None]] = {}

    async def start(self, service: Service) -> None:
        """Start a service and return once it is healthy; raises NotReady."""
        self._services[service.name] = service
        child = await self._spawn(service)
        await _healthy(service, child)
        self._guards[service.name] = asyncio.create_task(self._guard(service, child))

    async def stop(self) -> None:
        """Stop all services, each after those that need it."""
        while self._children:
            needed = {name for running in self._children for name in self._services[running].needs}
            await asyncio.gather(*(self._stop(name) for name in self._children.keys() - needed))

    async def _spawn(self, service: Service) -> Child:
        child = await process.start(service.name, service.command(), service.environment, self._logs)
        self._children[service.name] = child
        return child

    async def _stop(self, name: str) -> None:
        if guard := self._guards.pop(name, None):
            guard.cancel()
        if child := self._children.pop(name, None):
            await child.stop()

    async def _guard(self, service: Service, child: Child) -> None:
        while True:
            await child.process.wait()
            self._say(child.last_words())
            backoff = FIRST_BACKOFF_SECONDS
            while True:
                await asyncio.sleep(backoff)
                child = await self._spawn(service)
                try:
                    await _healthy(service, child)
                    break
                except NotReady as error:
                    self._say(str(error))
                    await child.stop()
                    backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
            self._say(f"{service.name} was started again")


async def _healthy(service: Service, child: Child) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not child.ended:
                if await service.ready():
                    return
                await asyncio.sleep(READY_POLL_SECONDS)
    except TimeoutError as error:
        raise NotReady(f"{service.name} was not ready after {READY_SECONDS:.0f} s; see {child.log}") from error
    raise NotReady(child.last_words())


async def at_once() -> bool:
    """Look at the health of a service that others wait for in their own way."""
    return True
