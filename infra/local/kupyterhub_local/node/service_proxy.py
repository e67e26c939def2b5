"""Services on their ClusterIPs, which are loopback addresses here: what kube-proxy does in a cluster."""

import asyncio
import logging
from collections.abc import Iterable
from itertools import count

from .domain.endpoints import Listen, listens, targets
from .domain.manifests import Manifest
from .mirror import Mirror
from .relay import Front

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 5.0


class ServiceProxy:
    """Listens for each Service of the mirror and hands each connection to the next ready pod."""

    def __init__(self, services: Mirror, pods: Iterable[Manifest]) -> None:
        self._services = services
        self._pods = pods
        self._wanted: dict[Listen, Manifest] = {}
        self._servers: dict[Listen, asyncio.Server] = {}
        self._turns = count()
        self._changed = asyncio.Event()
        services.listen(self._on_change)

    async def run(self) -> None:
        """Follow the Services, for ever."""
        await self._services.filled.wait()
        self._changed.set()
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                if not await self._adjust():
                    await asyncio.sleep(_RETRY_SECONDS)
                    self._changed.set()
        finally:
            for server in self._servers.values():
                server.close()

    async def _adjust(self) -> bool:
        """Open and close what changed; say whether everything that is wanted is open."""
        self._wanted = listens(self._services)
        for gone in self._servers.keys() - self._wanted.keys():
            self._servers.pop(gone).close()
        for each in self._wanted.keys() - self._servers.keys():
            try:
                self._servers[each] = await self._open(each)
            except OSError as error:
                name = self._wanted[each]["metadata"]["name"]
                _log.warning("Service %s: cannot listen on %s:%d: %s", name, each.address, each.port, error.strerror)
        return self._wanted.keys() == self._servers.keys()

    async def _open(self, listen: Listen) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: Front(lambda: self._choose(listen)), listen.address, listen.port, backlog=512
        )

    def _choose(self, listen: Listen) -> tuple[str, int] | None:
        service = self._wanted.get(listen)
        found = targets(service, listen.port, self._pods) if service else []
        return found[next(self._turns) % len(found)] if found else None

    def _on_change(self, _service: Manifest, deleted: bool) -> None:  # noqa: FBT001, ARG002 - a Listener
        self._changed.set()
