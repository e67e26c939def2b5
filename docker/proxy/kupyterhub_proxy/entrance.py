"""How a user's host learns who asks, and its paths for that; one `Entrance` per way of signing in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from kupyterhub_proxy import cookies
from kupyterhub_proxy.login import FAREWELL, SESSION_PATH
from kupyterhub_proxy.pages import local_path, page, redirect
from kupyterhub_proxy.wanted import MOST_PATH, Wanted

if TYPE_CHECKING:
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.sessions import Sessions
    from kupyterhub_proxy.visitor import Visitor

SIGN_OUT_PATH = "/.kupyterhub/sign-out"


@dataclass(frozen=True, slots=True)
class SignOut:
    """What signs out on a user's host: a form that posts there, or a link."""

    target: str
    by_link: bool = False
    form_targets: tuple[str, ...] = ()
    """Other origins that the form leads to."""


class Entrance(Protocol):
    """Tells who asks."""

    async def visitor(self, request: web.BaseRequest, name: str) -> Visitor | web.Response:
        """Tell who asks on the host of this name, or give what they are answered to get them proven."""

    def answer(self, request: web.BaseRequest, name: str) -> web.Response | None:
        """Answer on a path of its own, else None."""

    def lasts(self, visitor: Visitor) -> bool:
        """Whether what was proven still counts: asked again while something of theirs is open."""

    def renew(self, response: web.StreamResponse, visitor: Visitor, name: str) -> None:
        """Let what was proven count longer on the host of this name, where that can be: they use it."""

    def sign_out(self) -> SignOut:
        """Say how one signs out."""


class SessionEntrance:
    """By a session on each host, which the sign-in host gives out."""

    def __init__(self, hosts: Hosts, sessions: Sessions) -> None:
        self._hosts = hosts
        self._sessions = sessions

    async def visitor(self, request: web.BaseRequest, name: str) -> Visitor | web.Response:
        """Read the session; without one, lead a page to the sign-in and refuse everything else."""
        return self._sessions.visitor(cookies.read(request), name) or self._sign_in(request, name)

    def answer(self, request: web.BaseRequest, name: str) -> web.Response | None:
        """Take codes, and sign out."""
        match request.method, request.path:
            case _, path if path == SESSION_PATH:
                return self._take_code(request, name)
            case "POST", path if path == SIGN_OUT_PATH:
                return self._sign_out(request, name)
            case "GET", path if path == SIGN_OUT_PATH:
                return self._offer_sign_out(request, name)
            case _:
                return None

    def lasts(self, visitor: Visitor) -> bool:
        """Whether it has neither run out nor been signed out."""
        return self._sessions.lasts(visitor)

    def renew(self, response: web.StreamResponse, visitor: Visitor, name: str) -> None:
        """Give a session that lasts longer."""
        self._sessions.renew(response, visitor, name)

    def sign_out(self) -> SignOut:
        """By a form: no other site can send it."""
        return SignOut(SIGN_OUT_PATH, form_targets=(self._hosts.login,))

    def _sign_in(self, request: web.BaseRequest, name: str) -> web.Response:
        if request.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
            # JupyterLab shows the message of an answer in JSON, of a file that could not be saved for one.
            said = f"You are not signed in any more. Nothing is lost: open {self._hosts.user(name)}/ in another tab, "
            return web.json_response({"message": f"{said}sign in there, and try again here."}, status=401)
        path = local_path(request.raw_path)
        if len(path) > MOST_PATH:
            return page("sign-in-first.html", status=401, sign_in=f"{self._hosts.login}/?{Wanted(name).query()}")
        response = web.Response(status=303, headers={"Cache-Control": "no-store"})
        proof = self._sessions.prove(response, cookies.read(request))
        wanted = Wanted(name, proof, path)
        response.headers["Location"] = f"{self._hosts.login}/?{wanted.query()}"
        return response

    def _take_code(self, request: web.BaseRequest, name: str) -> web.Response:
        path = local_path(request.query.get("next", "/"))
        # From here on by the host's own name: whatever the path, it leads nowhere else.
        response = redirect(f"{self._hosts.user(name)}{path}")
        visitor = self._sessions.redeem(request.query.get("code", ""), name, cookies.read(request))
        if visitor is not None:
            self._sessions.enter(response, visitor, name)
        # A code that is stale, foreign or used: the page finds a session of another tab, or begins anew.
        return response

    def _offer_sign_out(self, request: web.BaseRequest, name: str) -> web.Response:
        visitor = self._sessions.visitor(cookies.read(request), name)
        if visitor is None:
            return redirect(f"{self._hosts.login}/")
        return page(
            "signed-in.html",
            form_targets=(self._hosts.login,),
            email=visitor.email,
            notebook=f"{self._hosts.user(name)}/",
            sign_out=SIGN_OUT_PATH,
        )

    def _sign_out(self, request: web.BaseRequest, name: str) -> web.Response:
        """Sign out here, and have the sign-in host do the same."""
        visitor = self._sessions.visitor(cookies.read(request), name)
        word = {FAREWELL: self._sessions.farewell(visitor)} if visitor is not None else {}
        response = redirect(f"{self._hosts.login}/?{Wanted(name).query(**word)}")
        self._sessions.end(response, visitor)
        return response
