"""A copy of one collection of the API server, kept up to date by a watch; of each object only what is needed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Generic, TypeVar

from kupyterhub_agent.directory.api import GONE, ApiError
from kupyterhub_agent.pause import SHORTEST_PAUSE_SECONDS, Pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_agent.directory.api import Api, Object

Kept = TypeVar("Kept")

log = logging.getLogger(__name__)


class Mirror(Generic[Kept]):
    """The objects at `path` that `selector` selects, as `keep` reduces them; what it makes None is left out."""

    def __init__(
        self,
        api: Api,
        path: str,
        selector: str,
        keep: Callable[[Object], Kept | None],
        changed: Callable[[], None],
    ) -> None:
        self.objects: dict[str, Kept] = {}
        """By their names."""
        self.filled = False
        """Whether there was a whole list once; later ones replace it whole, so nobody is gone for a moment."""
        self._api = api
        self._path = path
        self._selector = selector
        self._keep = keep
        self._changed = changed

    async def run(self) -> None:
        """List, then watch, for ever; what is lost only means to list again."""
        pause = Pause()
        while True:
            with pause.attempt():
                try:
                    await self._follow(await self._list())
                except ApiError as error:
                    if error.status != GONE:
                        log.warning("%s: %s; it is tried until it works", self._path, error)
            await pause.wait()

    async def _list(self) -> str:
        version = ""
        listed: dict[str, Kept] = {}
        async for page in self._api.pages(self._path, self._selector):
            version = page["metadata"]["resourceVersion"]
            for item in page["items"]:
                self._put(listed, item)
        self.objects, self.filled = listed, True
        self._changed()
        return version

    async def _follow(self, version: str) -> None:
        while True:
            async for kind, item in self._api.watch(self._path, self._selector, version):
                version = item["metadata"]["resourceVersion"]
                if kind == "BOOKMARK":
                    continue
                if kind == "DELETED":
                    self.objects.pop(item["metadata"]["name"], None)
                else:
                    self._put(self.objects, item)
                self._changed()
            # The server ends each watch after a while.
            await asyncio.sleep(SHORTEST_PAUSE_SECONDS)

    def _put(self, objects: dict[str, Kept], item: Object) -> None:
        kept = self._keep(item)
        if kept is None:
            objects.pop(item["metadata"]["name"], None)
        else:
            objects[item["metadata"]["name"]] = kept
