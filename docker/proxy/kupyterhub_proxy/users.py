"""A user's host `<name>.<domain>`: who asks, may they, is there an agent; then forward.

The order matters: a stranger learns nothing of whether an agent is there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from kupyterhub_proxy.forward import NotReached, forward, head_of
from kupyterhub_proxy.login import SESSION_PATH
from kupyterhub_proxy.pages import local_path, page, redirect
from kupyterhub_tunnel import rules

if TYPE_CHECKING:
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.people import People
    from kupyterhub_proxy.registry import Registry
    from kupyterhub_proxy.sessions import Sessions
    from kupyterhub_tunnel.heads import RequestHead

SIGN_OUT_PATH = "/.kupyterhub/sign-out"
RETRY_SECONDS = 2

log = logging.getLogger(__name__)


class UserHosts:
    """Serves the hosts of all users."""

    def __init__(self, hosts: Hosts, sessions: Sessions, people: People, registry: Registry) -> None:
        self._hosts = hosts
        self._sessions = sessions
        self._people = people
        self._registry = registry

    async def handle(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        """Answer a request to the host of this name."""
        head = head_of(request, name)
        reason = rules.refusal(head, self._hosts.user(name))
        if reason is not None:
            log.warning("refused %s to %s: %s", head.method, name, reason)
            return web.Response(status=403, text=f"refused: {reason}\n")
        if request.path == SESSION_PATH:
            return self._take_code(request, name)
        if request.path == SIGN_OUT_PATH and request.method == "POST":
            return self._sign_out(name)
        return await self._serve(request, head, name)

    async def _serve(self, request: web.BaseRequest, head: RequestHead, name: str) -> web.StreamResponse:
        email = self._sessions.email(request.cookies, name)
        if email is None:
            return self._sign_in(request, head, name)
        if not self._people.may_open(email, name):
            return self._not_theirs(email)
        agent = self._registry.serving(name)
        if agent is None:
            return _starting()
        try:
            return await forward(request, head, agent.connection)
        except NotReached as error:
            log.info("no answer for %s: %s", name, error)
            return _starting()

    def _take_code(self, request: web.BaseRequest, name: str) -> web.Response:
        path = local_path(request.query.get("next", "/"))
        # From here on by the host's own name: whatever the path, it leads nowhere else.
        response = redirect(f"{self._hosts.user(name)}{path}")
        email = self._sessions.redeem(request.query.get("code", ""), name, request.cookies)
        if email is not None:
            self._sessions.begin(response, email, name)
        # A code that is stale, foreign or used: the page finds a session of another tab, or begins anew.
        return response

    def _sign_in(self, request: web.BaseRequest, head: RequestHead, name: str) -> web.Response:
        if head.websocket or head.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
            return web.Response(status=401, text=f"sign in first: open {self._hosts.user(name)}/\n")
        response = web.Response(status=303, headers={"Cache-Control": "no-store"})
        proof = self._sessions.prove(response, request.cookies)
        query = urlencode({"host": name, "proof": proof, "next": local_path(head.target)})
        response.headers["Location"] = f"{self._hosts.login}/?{query}"
        return response

    def _sign_out(self, name: str) -> web.Response:
        response = redirect(f"{self._hosts.login}/?{urlencode({'host': name, 'switch': '1'})}")
        self._sessions.end(response)
        return response

    def _not_theirs(self, email: str) -> web.Response:
        return page(
            "not-yours.html",
            status=403,
            form_targets=(self._hosts.login,),
            email=email,
            sign_out=SIGN_OUT_PATH,
        )


def _starting() -> web.Response:
    return page("starting.html", status=503, headers={"Retry-After": str(RETRY_SECONDS)}, seconds=RETRY_SECONDS)
