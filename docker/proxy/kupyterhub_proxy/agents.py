"""The host `agents.<domain>`: lets agents in."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy.agent_visit import AgentVisit
from kupyterhub_proxy.polling.host import METHODS as POLLING_METHODS
from kupyterhub_proxy.tokens import TokenRefused
from kupyterhub_proxy.upgrade import unfit, upgrade
from kupyterhub_tunnel import rules
from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.dialling import CONNECT_PATH, PROTOCOL, REPLICA_HEADER, REPLICAS_HEADER, first_window
from kupyterhub_tunnel.flow import Budget, Windows
from kupyterhub_tunnel.pipe import HEARTBEAT_SECONDS, WebSocketPipe

if TYPE_CHECKING:
    from kupyterhub_proxy.announcing import Announcing
    from kupyterhub_proxy.polling.host import PollingHost
    from kupyterhub_proxy.sign_outs import SignOuts
    from kupyterhub_proxy.tokens import AgentIdentity, Verifier

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Replica:
    """This process among those that serve the same domain; agents keep a connection to each."""

    count: int
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    def headers(self) -> dict[str, str]:
        """Give what an agent is told when it is let in."""
        return {REPLICA_HEADER: self.id, REPLICAS_HEADER: str(self.count)}


class AgentsHost:
    """Serves agents until `stop`."""

    def __init__(
        self,
        verifier: Verifier,
        announcing: Announcing,
        sign_outs: SignOuts,
        replica: Replica,
        polling: PollingHost | None = None,
    ) -> None:
        self._verifier = verifier
        self._announcing = announcing
        self._sign_outs = sign_outs
        self._replica = replica
        self._polling = polling
        self._budget = Budget()
        self._visits: set[AgentVisit] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to this host: agent paths only."""
        if self._polling is not None and request.path in POLLING_METHODS:
            return await self._polling.handle(request)
        if request.path != CONNECT_PATH or request.method != "GET":
            return web.Response(status=404, text="only agents connect here\n")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise TokenRefused("an agent sends its ServiceAccount token as a bearer token")  # noqa: TRY301
            identity = await self._verifier.verify(token.strip())
        except TokenRefused as error:
            log.warning("refused an agent from %s: %s", request.remote, error)
            return web.Response(status=401, text=f"{error}\n", headers={"WWW-Authenticate": "Bearer"})
        return await self._receive(request, identity)

    async def stop(self) -> None:
        """End all connections. The agents come back to our successor, so nothing is lost."""
        self._announcing.stop()
        if self._polling is not None:
            await self._polling.stop()
        await asyncio.gather(*(visit.close() for visit in self._visits))

    async def _receive(self, request: web.BaseRequest, identity: AgentIdentity) -> web.StreamResponse:
        refused = unfit(request)
        if refused is not None:
            return refused
        subprotocol = PROTOCOL if PROTOCOL in rules.subprotocols(tuple(request.headers.items())) else None
        headers = self._replica.headers() | ({"Sec-WebSocket-Protocol": subprotocol} if subprotocol else {})
        response, socket = await upgrade(request, headers, HEARTBEAT_SECONDS)
        connect = partial(Connection, WebSocketPipe(socket), Windows(self._budget, first_window(subprotocol)))
        visit = AgentVisit(self._verifier, self._announcing, self._sign_outs, identity, connect)
        self._visits.add(visit)
        try:
            await visit.run()
        finally:
            self._visits.discard(visit)
        return response
