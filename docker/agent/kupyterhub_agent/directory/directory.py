"""Keeps a crowd equal to the people of the namespace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kupyterhub_agent.directory.entries import SELECTOR, Introduction, introduction, token
from kupyterhub_agent.directory.mirror import Mirror

if TYPE_CHECKING:
    from kupyterhub_agent.crowd import Crowd
    from kupyterhub_agent.directory.api import Api
    from kupyterhub_agent.person import Person


class Directory:
    """Who has a Service and a Secret is served, from the moment that both are there until one of them goes."""

    def __init__(self, api: Api, namespace: str, crowd: Crowd) -> None:
        path = f"/api/v1/namespaces/{namespace}"
        self._changed = asyncio.Event()
        self._services: Mirror[Introduction] = Mirror(
            api, f"{path}/services", SELECTOR, introduction, self._changed.set
        )
        self._secrets: Mirror[str] = Mirror(api, f"{path}/secrets", SELECTOR, token, self._changed.set)
        self._crowd = crowd
        self.told = False
        """Whether the crowd was told who is there."""

    async def run(self) -> None:
        """Read and follow the namespace for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._services.run())
            group.create_task(self._secrets.run())
            while True:
                await self._changed.wait()
                self._changed.clear()
                if self._services.filled and self._secrets.filled:
                    await self._crowd.become(self._people())
                    self.told = True

    def _people(self) -> dict[str, Person]:
        secrets = self._secrets
        return {
            each.name: each.person(lambda key=key: secrets.objects.get(key, ""))  # type: ignore[misc]
            for key, each in self._services.objects.items()
            if key in secrets.objects
        }
