"""The host `login.<domain>`: finds out who somebody is and hands that to a user's host by a code.

How a person proves who they are is an `Identity`'s business; `local_identity` is the one for one machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from aiohttp import web

from kupyterhub_proxy.names import base_name, is_name
from kupyterhub_proxy.pages import local_path, redirect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.sessions import Sessions

SESSION_PATH = "/.kupyterhub/session"
_LOGIN = "login"


class Identity(Protocol):
    """One way for people to prove who they are."""

    def ask(
        self, wanted: Mapping[str, str], form_targets: tuple[str, ...], signed_in: str | None, problem: str
    ) -> web.Response:
        """Show the page where they do. Its form posts to /sign-in and carries `wanted` along."""

    def proven(self, form: Mapping[str, str]) -> str | None:
        """Give the normalised e-mail that the form proves, or None."""


class LoginHost:
    """Signs people in and out."""

    def __init__(self, hosts: Hosts, sessions: Sessions, identity: Identity) -> None:
        self._hosts = hosts
        self._sessions = sessions
        self._identity = identity

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to this host."""
        match request.method, request.path:
            case "GET" | "HEAD", "/":
                return self._arrive(request)
            case "POST", "/sign-in" | "/sign-out" if request.headers.getall("Origin", []) != [self._hosts.login]:
                # Else another page could sign somebody in as somebody else.
                return web.Response(status=403, text="this form must come from the sign-in page\n")
            case "POST", "/sign-in":
                return self._sign_in(await _form(request))
            case "POST", "/sign-out":
                response = redirect("/")
                self._sessions.end(response)
                return response
            case _:
                return web.Response(status=404, text="there is only signing in here\n")

    def _arrive(self, request: web.BaseRequest) -> web.Response:
        wanted = _wanted(request.query)
        if "switch" in request.query:
            # Who signed out on a user's host is signed out here as well. Any page may link here; it gains nothing.
            response = self._ask(wanted, None)
            self._sessions.end(response)
            return response
        email = self._sessions.email(request.cookies, _LOGIN)
        if email is not None and wanted["host"]:
            return redirect(self._way_back(email, wanted))
        return self._ask(wanted, email)

    def _ask(self, wanted: Mapping[str, str], email: str | None, problem: str = "") -> web.Response:
        # The form ends at a user's host, by a redirect; without one asked for, at the person's own.
        target = self._hosts.user(wanted["host"] or "*")
        return self._identity.ask(wanted, (target,), email, problem)

    def _sign_in(self, form: Mapping[str, str]) -> web.Response:
        wanted = _wanted(form)
        email = self._identity.proven(form)
        if email is None:
            return self._ask(wanted, None, "That is not an e-mail address.")
        response = redirect(self._way_back(email, wanted))
        self._sessions.begin(response, email, _LOGIN)
        return response

    def _way_back(self, email: str, wanted: Mapping[str, str]) -> str:
        name = wanted["host"] or base_name(email)
        if not wanted["proof"]:
            return f"{self._hosts.user(name)}/"  # that host begins anew, with a nonce
        query = urlencode(
            {"code": self._sessions.code(email, name, wanted["proof"]), "next": local_path(wanted["next"])}
        )
        return f"{self._hosts.user(name)}{SESSION_PATH}?{query}"


def _wanted(values: Mapping[str, str]) -> dict[str, str]:
    wanted = {key: values.get(key, "") for key in ("host", "proof", "next")}
    return wanted if is_name(wanted["host"]) else {**wanted, "host": "", "proof": ""}


async def _form(request: web.BaseRequest) -> dict[str, str]:
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
