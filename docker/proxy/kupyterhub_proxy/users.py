"""A user's host `<name>.<domain>`: who asks, may they, is there an agent; then forward.

The order matters: a stranger learns nothing of whether an agent is there.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy.forward import NotReached, head_of
from kupyterhub_proxy.pages import page
from kupyterhub_tunnel import rules

if TYPE_CHECKING:
    from kupyterhub_proxy.entrance import Entrance
    from kupyterhub_proxy.forward import Forwarder
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.open_requests import OpenRequests
    from kupyterhub_proxy.people import People
    from kupyterhub_proxy.registry import Registry
    from kupyterhub_proxy.visitor import Visitor
    from kupyterhub_tunnel.heads import RequestHead

RETRY_SECONDS = 2

log = logging.getLogger(__name__)


class UserHosts:
    """Serves the hosts of all users. Whoever finds no JupyterLab is shown the portal."""

    def __init__(  # noqa: PLR0913 - each is another matter
        self,
        hosts: Hosts,
        entrance: Entrance,
        people: People,
        registry: Registry,
        *,
        forwarder: Forwarder,
        open_requests: OpenRequests,
    ) -> None:
        self._hosts = hosts
        self._entrance = entrance
        self._people = people
        self._registry = registry
        self._forwarder = forwarder
        self._open_requests = open_requests

    async def handle(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        """Answer a request to the host of this name."""
        head = head_of(request, name)
        reason = rules.refusal(head, self._hosts.user(name))
        if reason is not None:
            log.warning("refused %s to %s: %s", head.method, name, reason)
            return web.Response(status=403, text=f"refused: {reason}\n")
        answer = self._entrance.answer(request, name)
        if answer is not None:
            return answer
        visitor = await self._entrance.visitor(request, name)
        if isinstance(visitor, web.Response):
            return visitor
        if not self._people.may_open(visitor.email, name):
            return self._not_theirs(visitor)
        with self._open_requests.holding(request, visitor, name):
            return await self._serve(request, head, visitor)

    async def _serve(self, request: web.BaseRequest, head: RequestHead, visitor: Visitor) -> web.StreamResponse:
        name = head.name
        agent = self._registry.serving(name)
        if agent is None:
            return self._starting(name)
        try:
            renew = partial(self._entrance.renew, visitor=visitor, name=name)
            return await self._forwarder.forward(request, head, agent.carrier, visitor.email, renew)
        except NotReached as error:
            log.info("no answer for %s: %s", name, error)
            return self._starting(name)

    def _not_theirs(self, visitor: Visitor) -> web.Response:
        sign_out = self._entrance.sign_out()
        return page(
            "not-yours.html",
            status=403,
            form_targets=sign_out.form_targets,
            email=visitor.email,
            sign_out=sign_out,
        )

    def _starting(self, name: str) -> web.Response:
        portal = f"{self._hosts.portal}/?start={name}" if self._hosts.portal else None
        return page(
            "starting.html",
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
            seconds=RETRY_SECONDS,
            portal=portal,
        )
