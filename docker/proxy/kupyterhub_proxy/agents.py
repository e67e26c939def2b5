"""The host `agents.<domain>`: lets agents in and keeps what they say of their JupyterLab."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kupyterhub_proxy.names import base_name, normalise_email
from kupyterhub_proxy.registry import ConnectedAgent
from kupyterhub_proxy.tokens import TokenRefused
from kupyterhub_tunnel.agent_events import AgentEvent
from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.errors import ProtocolError, TunnelError
from kupyterhub_tunnel.frames import MAX_FRAME_BYTES
from kupyterhub_tunnel.pipe import HEARTBEAT_SECONDS, WebSocketPipe

if TYPE_CHECKING:
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.registry import Registry
    from kupyterhub_proxy.tokens import AgentIdentity, Verifier
    from kupyterhub_tunnel.agent_events import EventType, Outbox

CONNECT_PATH = "/agent/connect"
# An agent that hangs must not hold up our own end.
_CLOSE_SECONDS = 2.0

log = logging.getLogger(__name__)


class AgentsHost:
    """Serves agents until `stop`."""

    def __init__(self, hosts: Hosts, verifier: Verifier, registry: Registry, outbox: Outbox) -> None:
        self.hosts = hosts
        self.verifier = verifier
        self.registry = registry
        self.outbox = outbox
        self.stopping = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to this host: agent paths only."""
        if request.path != CONNECT_PATH or request.method != "GET":
            return web.Response(status=404, text="only agents connect here\n")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise TokenRefused("an agent sends its ServiceAccount token as a bearer token")  # noqa: TRY301
            identity = await self.verifier.verify(token.strip())
        except TokenRefused as error:
            log.warning("refused an agent from %s: %s", request.remote, error)
            return web.Response(status=401, text=f"{error}\n", headers={"WWW-Authenticate": "Bearer"})
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_FRAME_BYTES, timeout=_CLOSE_SECONDS, compress=False
        )
        if not socket.can_prepare(request):
            return web.Response(status=426, text="a WebSocket, please\n", headers={"Upgrade": "websocket"})
        await socket.prepare(request)
        await AgentVisit(self, identity, socket).run()
        return socket

    async def stop(self) -> None:
        """End all connections. The agents come back to our successor, so nothing is lost."""
        self.stopping = True
        await asyncio.gather(*(agent.connection.close() for agent in self.registry.all()))


class AgentVisit:
    """One connection of an agent, from hello to its end or the end of its token."""

    def __init__(self, host: AgentsHost, identity: AgentIdentity, socket: web.WebSocketResponse[bool]) -> None:
        self._host = host
        self._identity = identity
        self._connection = Connection(WebSocketPipe(socket), on_info=self._hear)
        self._agent: ConnectedAgent | None = None
        self._limit = asyncio.timeout(None)

    async def run(self) -> None:
        """Serve the agent; returns when the connection has ended."""
        try:
            async with self._limit:
                self._limit.reschedule(_loop_time(self._identity.expires))
                await self._connection.run()
        except TimeoutError:
            log.warning("the token of the agent of %s has expired", self._identity.name)
        except TunnelError as error:
            log.warning("the agent of %s: %s", self._identity.name, error)
        finally:
            self._leave()

    async def _hear(self, message: dict[str, Any]) -> None:
        try:
            match message.get("type"), self._agent:
                case "hello", None:
                    self._agent = self._admit(message)
                    self._host.registry.add(self._agent)
                case "registered", ConnectedAgent() as agent:
                    agent.registered_at = _time(message["registeredAt"])
                    self._tell(agent, "registered")
                case "idle", ConnectedAgent(registered_at=datetime()) as agent:
                    self._tell(agent, "idle", _time(message["lastActivity"]))
                case "lost", ConnectedAgent(registered_at=datetime()) as agent:
                    self._tell(agent, "lost")
                    agent.registered_at = None
                case "token", ConnectedAgent():
                    await self._renew(str(message["token"]))
                case kind, _:
                    raise ProtocolError(f"a message {kind!r} makes no sense now")
        except (KeyError, ValueError, TypeError) as error:
            raise ProtocolError(f"a message {message.get('type')!r} lacks a field or has a wrong one") from error

    def _admit(self, hello: dict[str, Any]) -> ConnectedAgent:
        name, instance = str(hello["name"]), str(hello["instance"])
        email = normalise_email(str(hello["email"]))
        if name != self._identity.name or email is None or base_name(email) != name:
            raise ProtocolError(f"its token is for {self._identity.name}, not for {name}")
        if instance != self._identity.instance:
            raise ProtocolError("its token belongs to another pod")
        log.info("an agent of %s has connected", name)
        return ConnectedAgent(name, str(hello["user"]), email, instance, self._connection)

    async def _renew(self, token: str) -> None:
        try:
            identity = await self._host.verifier.verify(token)
        except TokenRefused as error:
            raise ProtocolError(f"its new token was refused: {error}") from error
        if (identity.name, identity.instance) != (self._identity.name, self._identity.instance):
            raise ProtocolError("its new token is another agent's")
        self._limit.reschedule(_loop_time(identity.expires))

    def _leave(self) -> None:
        agent = self._agent
        if agent is None:
            return
        self._host.registry.remove(agent)
        log.info("an agent of %s has left", agent.name)
        if not self._host.stopping and self._host.registry.serving(agent.name) is None:
            self._tell(agent, "lost")

    def _tell(self, agent: ConnectedAgent, kind: EventType, last_activity: datetime | None = None) -> None:
        if agent.registered_at is None:
            return
        self._host.outbox.put(
            AgentEvent(
                type=kind,
                user=agent.user,
                name=agent.name,
                instance=agent.instance,
                proxy_url=f"{self._host.hosts.user(agent.name)}/",
                registered_at=agent.registered_at,
                last_activity=last_activity,
            )
        )


def _loop_time(moment: datetime) -> float:
    return asyncio.get_running_loop().time() + (moment - datetime.now(UTC)).total_seconds()


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time has a zone")
    return moment
