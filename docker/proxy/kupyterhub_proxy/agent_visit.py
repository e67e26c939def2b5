"""One connection of an agent, from its first word to its end or the end of its token."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kupyterhub_proxy.registry import ConnectedAgent
from kupyterhub_proxy.tokens import TokenRefused
from kupyterhub_rules.names import base_name, normalise_email
from kupyterhub_tunnel.errors import ProtocolError, TunnelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kupyterhub_proxy.announcing import Announcing
    from kupyterhub_proxy.sign_outs import SignOuts
    from kupyterhub_proxy.tokens import AgentIdentity, Verifier
    from kupyterhub_tunnel.connection import Connection

log = logging.getLogger(__name__)


class AgentVisit:
    """Serves an agent, of one user or of many: each message says whom it is about."""

    def __init__(
        self,
        verifier: Verifier,
        announcing: Announcing,
        sign_outs: SignOuts,
        identity: AgentIdentity,
        connect: Callable[..., Connection],
    ) -> None:
        """`connect` makes the connection of what takes its messages, `on_info`."""
        self._verifier = verifier
        self._announcing = announcing
        self._sign_outs = sign_outs
        self._identity = identity
        self._connection = connect(on_info=self._hear)
        self._agents: dict[str, ConnectedAgent] = {}
        self._leaving = False
        self._limit = asyncio.timeout(None)
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the agent; returns when the connection has ended."""
        log.info("%s has connected", self._identity.account)
        self._tell_all(self._sign_outs.of_admins())
        try:
            async with self._limit:
                self._limit.reschedule(_loop_time(self._identity.expires))
                await self._connection.run()
        except TimeoutError:
            log.warning("the token of %s has expired", self._identity.account)
        except TunnelError as error:
            log.warning("%s: %s", self._identity.account, error)
        finally:
            for agent in self._agents.values():
                self._announcing.gone(agent)
            log.info("%s has left", self._identity.account)

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def _hear(self, message: dict[str, Any]) -> None:
        try:
            match message.get("type"):
                case "leaving":
                    self._leave()
                case "token":
                    await self._renew(str(message["token"]))
                case "registered":
                    self._registered(message)
                case "signedOut":
                    self._sign_outs.hear(str(message["word"]))
                case _ if message["name"] not in self._agents:
                    log.warning("%s says something of %s, who is not its", self._identity.account, message["name"])
                case "idle":
                    self._announcing.idle(self._agents[message["name"]], _time(message["lastActivity"]))
                case "used":
                    self._announcing.used(self._agents[message["name"]], _time(message["at"]))
                case "lost":
                    self._announcing.gone(self._agents.pop(message["name"]))
                case kind:
                    raise ProtocolError(f"a message {kind!r} is not known here")
        except (KeyError, ValueError, TypeError) as error:
            raise ProtocolError(f"a message {message.get('type')!r} lacks a field or has a wrong one") from error

    def _registered(self, message: dict[str, Any]) -> None:
        name = str(message["name"])
        agent = self._agents.get(name) or self._admit(name, message)
        if agent is not None:
            self._announcing.registered(agent, _time(message["registeredAt"]))

    def _admit(self, name: str, message: dict[str, Any]) -> ConnectedAgent | None:
        email = normalise_email(str(message["email"]))
        if not self._identity.may_serve(name) or email is None or base_name(email) != name:
            # One wrong user of a shared agent must not end the connection of all.
            log.warning("%s may not serve %s", self._identity.account, name)
            return None
        agent = ConnectedAgent(
            name,
            str(message["user"]),
            email,
            self._identity.instance,
            self._connection,
            leaving=self._leaving,
            tell=self._tell,
        )
        self._agents[name] = agent
        self._announcing.come(agent)
        self._tell_all(self._sign_outs.of(email))
        return agent

    def _leave(self) -> None:
        self._leaving = True
        for agent in self._agents.values():
            agent.leaving = True
        # All that was sent to it before it is asked no more arrives there before this.
        self._tell({"type": "leaving"})

    async def _renew(self, token: str) -> None:
        try:
            identity = await self._verifier.verify(token)
        except TokenRefused as error:
            raise ProtocolError(f"its new token was refused: {error}") from error
        if (identity.account, identity.instance) != (self._identity.account, self._identity.instance):
            raise ProtocolError("its new token is another agent's")
        self._limit.reschedule(_loop_time(identity.expires))

    def _tell_all(self, messages: Iterable[dict[str, Any]]) -> None:
        for message in messages:
            self._tell(message)

    def _tell(self, message: dict[str, Any]) -> None:
        task = asyncio.create_task(self._send(message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(TunnelError):
            await self._connection.info(message)


def _loop_time(moment: datetime) -> float:
    return asyncio.get_running_loop().time() + (moment - datetime.now(UTC)).total_seconds()


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time has a zone")
    return moment
