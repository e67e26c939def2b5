"""The host `login.<domain>`: finds out who somebody is, for the whole system.

It hands that to a user's host by a code, and to the portal by an assertion.

How a person proves who they are is an `Identity`'s business. Where something in front of the server knows
everybody (`identities.iap`), there is no signing in, and another `LoginHost`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from aiohttp import web

from kupyterhub_proxy import cookies
from kupyterhub_proxy.hosts import PORTAL
from kupyterhub_proxy.pages import redirect
from kupyterhub_proxy.portal_assertions import KEYS_PATH, KEYS_SECONDS
from kupyterhub_proxy.wanted import Wanted
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.portal_assertions import PortalAssertions
    from kupyterhub_proxy.sessions import Sessions
    from kupyterhub_proxy.visitor import Visitor

SESSION_PATH = "/.kupyterhub/session"
FAREWELL = "farewell"
"""Of a query: the word of `Sessions.farewell`."""
_LOGIN = "login"


class LoginHost(Protocol):
    """What answers on `login.<domain>`."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to this host."""


class Identity(Protocol):
    """One way for people to prove who they are, on the sign-in host."""

    async def ask(self, wanted: Wanted) -> web.Response:
        """Lead somebody who is not signed in to where they prove who they are."""

    async def answer(
        self, request: web.BaseRequest, welcome: Callable[[str, Wanted], web.Response]
    ) -> web.Response | None:
        """Answer on a path of its own, else None. `welcome` signs in the person of a normalised e-mail."""

    async def greet(self, email: str) -> web.Response:
        """Answer somebody who is signed in and wants no host; its form to sign out posts to /sign-out."""

    async def part(self, wanted: Wanted) -> web.Response:
        """Answer somebody who has just signed out; `wanted` is where they were."""


class SignInHost:
    """Signs people in and out. Without `assertions` there is no portal."""

    def __init__(
        self, hosts: Hosts, sessions: Sessions, identity: Identity, assertions: PortalAssertions | None
    ) -> None:
        self._hosts = hosts
        self._sessions = sessions
        self._identity = identity
        self._assertions = assertions

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to this host."""
        if request.method == "POST" and request.headers.getall("Origin", []) != [self._hosts.login]:
            # Else another page could sign somebody in as somebody else.
            return web.Response(status=403, text="this form must come from the sign-in page\n")
        match request.method, request.path:
            case "GET" | "HEAD", "/":
                return await self._arrive(request)
            case "GET" | "HEAD", path if path == KEYS_PATH and self._assertions is not None:
                headers = {"Cache-Control": f"public, max-age={KEYS_SECONDS}"}
                return web.json_response(self._assertions.keys, headers=headers)
            case "POST", "/sign-out":
                return await self._sign_out(self._visitor(request), Wanted())
            case _:
                answer = await self._identity.answer(request, self._welcome)
                return answer or web.Response(status=404, text="there is only signing in here\n")

    async def _arrive(self, request: web.BaseRequest) -> web.Response:
        wanted, visitor = Wanted.read(request.query), self._visitor(request)
        parting = self._sessions.parting(request.query.get(FAREWELL, ""))
        # The word is compared: anybody may make one of a sign-in of their own, and link here.
        if parting is not None and (visitor is None or visitor.sign_in == parting):
            return await self._sign_out(visitor, wanted)
        if visitor is None:
            return await self._identity.ask(wanted)
        # A word that is old, or of another sign-in, comes from somebody who wants to leave: they are asked.
        if wanted.host and FAREWELL not in request.query:
            response = redirect(self._way_back(visitor, wanted))
        else:
            response = await self._identity.greet(visitor.email)
        self._sessions.renew(response, visitor, _LOGIN)
        return response

    async def _sign_out(self, visitor: Visitor | None, wanted: Wanted) -> web.Response:
        response = await self._identity.part(wanted)
        self._sessions.end(response, visitor)
        return response

    def _welcome(self, email: str, wanted: Wanted) -> web.Response:
        response = web.Response(status=303, headers={"Cache-Control": "no-store"})
        visitor = self._sessions.begin(response, email, _LOGIN)
        response.headers["Location"] = self._way_back(visitor, wanted)
        return response

    def _way_back(self, visitor: Visitor, wanted: Wanted) -> str:
        host = wanted.host or base_name(visitor.email)
        code = self._code(visitor, host, wanted.proof)
        if not code:
            return f"{self._hosts.wanted(host)}{wanted.next}"  # that host begins anew, with a nonce
        query = urlencode({"code": code, "next": wanted.next})
        return f"{self._hosts.wanted(host)}{SESSION_PATH}?{query}"

    def _code(self, visitor: Visitor, host: str, proof: str) -> str:
        if not proof:
            return ""
        if host != PORTAL:
            return self._sessions.code(visitor, host, proof)
        return self._assertions.of(visitor, proof, self._sessions.farewell(visitor)) if self._assertions else ""

    def _visitor(self, request: web.BaseRequest) -> Visitor | None:
        return self._sessions.visitor(cookies.read(request), _LOGIN)
