"""What polling agents ask of `agents.<domain>`: `agent/pending`, `agent/request`, `agent/response`.

Paths and headers are google/inverting-proxy's (agent/utils/utils.go). Its agent takes an answer of 5xx for a reason
to try again, and anything else for final.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from aiohttp import web

from kupyterhub_proxy.polling.backend import Backend
from kupyterhub_proxy.polling.errands import give, take
from kupyterhub_proxy.polling.presence import Presence
from kupyterhub_proxy.registry import ConnectedAgent
from kupyterhub_proxy.tokens import TokenRefused
from kupyterhub_rules.names import is_name
from kupyterhub_tunnel.wire import BACKEND_HEADER, REQUEST_HEADER, VM_HEADER

if TYPE_CHECKING:
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.polling.allowed import Allowed
    from kupyterhub_proxy.polling.vm_identity import VmVerifier
    from kupyterhub_proxy.registry import Registry

PENDING_PATH = "/agent/pending"
REQUEST_PATH = "/agent/request"
RESPONSE_PATH = "/agent/response"
METHODS = {PENDING_PATH: "GET", REQUEST_PATH: "GET", RESPONSE_PATH: "POST"}

_LONG_AGO = datetime.fromtimestamp(0, UTC)

log = logging.getLogger(__name__)


class PolledAgent(NamedTuple):
    """A user's polling agents."""

    backend: Backend
    presence: Presence


class PollingHost:
    """Serves agents that poll, for the service accounts that are allowed to."""

    def __init__(self, hosts: Hosts, verifier: VmVerifier, allowed: Allowed, registry: Registry) -> None:
        self._hosts = hosts
        self._verifier = verifier
        self._allowed = allowed
        self._registry = registry
        self._agents: dict[str, PolledAgent] = {}
        self._stopped = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to one of METHODS' paths."""
        name = request.headers.get(BACKEND_HEADER, "")
        refused = await self._refusal(request, name)
        if refused is not None:
            return refused
        if request.path != PENDING_PATH:
            return await self._errand(request, name)
        agent = self._polled_agent(name)
        with agent.presence.polling():
            return web.json_response(await agent.backend.poll())

    async def stop(self) -> None:
        """Give up what is pending and end all polls: they would hold the server up."""
        self._stopped = True
        for agent in self._agents.values():
            agent.presence.stop()
            agent.backend.close("the server stops")

    async def _refusal(self, request: web.BaseRequest, name: str) -> web.Response | None:
        if request.method != METHODS[request.path]:
            return web.Response(status=405, headers={"Allow": METHODS[request.path]})
        if self._stopped:
            return web.Response(status=503, text="the server stops\n")
        try:
            machine = await self._verifier.verify(request.headers.get(VM_HEADER, ""))
        except TokenRefused as error:
            log.warning("refused a polling agent from %s: %s", request.remote, error)
            return web.Response(status=401, text=f"{error}\n")
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("Google's certificates cannot be had: %s", type(error).__name__)
            return web.Response(status=503, text="tokens cannot be verified now\n")
        if not is_name(name) or not self._allowed.may_serve(machine.service_account, name):
            log.warning("refused %s, on VM %s, as backend %r", machine.service_account, machine.instance, name)
            return web.Response(status=403, text=f"{machine.service_account} may not be the backend {name!r}\n")
        return None

    async def _errand(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        agent = self._agents.get(name)
        polled = agent.backend.find(request.headers.get(REQUEST_HEADER, "")) if agent else None
        if agent is None or polled is None:
            return web.Response(status=404, text="no such request, or nobody waits for its answer any more\n")
        if request.path == REQUEST_PATH:
            if not polled.fetch():
                return web.Response(status=409, text="its body has been fetched already\n")
            return await give(request, polled, agent.backend.host)
        if not polled.take_answer():
            return web.Response(status=409, text="it is being answered already\n")
        return await take(request, polled)

    def _polled_agent(self, name: str) -> PolledAgent:
        if name not in self._agents:
            backend = Backend(self._hosts.user(name))
            # As one that leaves, and has been here for long: an agent of ours carries more, and speaks for its user.
            entry = ConnectedAgent(
                name=name, user="", email="", instance="", carrier=backend, registered_at=_LONG_AGO, leaving=True
            )
            self._agents[name] = PolledAgent(backend, Presence(partial(self._come, entry), partial(self._go, entry)))
        return self._agents[name]

    def _come(self, entry: ConnectedAgent) -> None:
        log.info("a polling agent of %s has come", entry.name)
        self._registry.add(entry)

    def _go(self, entry: ConnectedAgent) -> None:
        log.info("the polling agent of %s has gone", entry.name)
        self._registry.remove(entry)
        self._agents.pop(entry.name).backend.fail("its agent polls no more")
