"""Identity by an OpenID provider: the pages and redirects of a sign-in on `login.<domain>`.

There are no forms here but the one to sign out: browsers check where a form's redirects lead, and a provider
may lead anywhere.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy.identities.provider import ProviderRefused, ProviderUnreachable
from kupyterhub_proxy.names import base_name, normalise_email
from kupyterhub_proxy.pages import page
from kupyterhub_proxy.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.identities.attempts import Attempt, Attempts
    from kupyterhub_proxy.identities.provider import Provider

CALLBACK_PATH = "/callback"
SIGNED_OUT_PATH = "/signed-out"
_SIGN_IN_PATH = "/sign-in"
_SWITCH_PATH = "/switch"
_CHOOSE = "choose"

log = logging.getLogger(__name__)


class OidcIdentity:
    """Sends people to the provider and takes what it says of them."""

    def __init__(self, hosts: Hosts, provider: Provider, attempts: Attempts) -> None:
        self._hosts = hosts
        self._provider = provider
        self._attempts = attempts

    async def ask(self, request: web.BaseRequest, wanted: Wanted) -> web.Response:
        """Lead to the provider."""
        response = web.Response(status=303, headers={"Cache-Control": "no-store"})
        attempt = self._attempts.begin(response, request.cookies, wanted)
        try:
            url = await self._provider.sign_in_url(attempt, choose=_CHOOSE in request.query)
        except ProviderUnreachable as error:
            return _unreachable(error, wanted)
        response.headers["Location"] = url
        return response

    async def answer(
        self, request: web.BaseRequest, welcome: Callable[[str, Wanted], web.Response]
    ) -> web.Response | None:
        """Begin again, or take what the provider sends back."""
        match request.method, request.path:
            case "GET", path if path == _SIGN_IN_PATH:
                return await self.ask(request, Wanted.read(request.query))
            case "GET", path if path == _SWITCH_PATH:
                return await self.part(Wanted.read(request.query))
            case "GET", path if path == SIGNED_OUT_PATH:
                return _signed_out(Wanted())
            case "GET", path if path == CALLBACK_PATH:
                attempt = self._attempts.find(request.cookies, request.query.get("state", ""))
                if attempt is None:
                    return _lost()
                response = await self._finish(request, attempt, welcome)
                self._attempts.end(response, attempt)
                return response
            case _:
                return None

    async def greet(self, email: str) -> web.Response:
        """Say who is signed in and where their notebook is."""
        notebook = f"{self._hosts.user(base_name(email))}/"
        return page("signed-in.html", email=email, notebook=notebook, sign_out="/sign-out")

    async def part(self, wanted: Wanted) -> web.Response:
        """Lead to where one signs out at the provider too; a page does, since a form has led here."""
        try:
            url = await self._provider.sign_out_url(f"{self._hosts.login}{SIGNED_OUT_PATH}")
        except ProviderUnreachable as error:
            log.warning("signing out reached this server alone: %s", error)
            url = None
        return _signed_out(wanted) if url is None else page("signing-out.html", url=url)

    async def _finish(
        self, request: web.BaseRequest, attempt: Attempt, welcome: Callable[[str, Wanted], web.Response]
    ) -> web.Response:
        wanted = attempt.wanted
        if "error" in request.query:
            return _failed(request.query["error"], wanted)
        try:
            claims = await self._provider.claims(attempt, request.query.get("code", ""))
        except ProviderUnreachable as error:
            return _unreachable(error, wanted)
        except ProviderRefused as error:
            log.warning("refused a sign-in: %s", error)
            return _problem(
                403,
                "This sign-in could not be verified",
                "What the sign-in service sent back was not accepted. Signing in again may help; if not, an "
                "administrator finds the reason in this server's log.",
                wanted,
            )
        email = normalise_email(str(claims.get("email", "")))
        # A text "true" is no proof: only the boolean is what the standard says (OpenID Connect Core 1.0, 5.1).
        if email is None or claims.get("email_verified") is not True:
            return _not_verified(email, wanted)
        return welcome(email, wanted)


def _again(wanted: Wanted, **more: str) -> str:
    # The proof may be too old by then; without one the user's host makes another.
    return f"{_SIGN_IN_PATH}?{Wanted(wanted.host, '', wanted.next).query(**more)}"


def _problem(status: int, title: str, text: str, wanted: Wanted, *, switch: bool = False) -> web.Response:
    if switch:
        link = (f"{_SWITCH_PATH}?{wanted.query()}", "Sign in as somebody else")
    else:
        link = (_again(wanted), "Sign in again")
    return page("problem.html", status=status, title=title, text=text, link=link)


def _unreachable(error: ProviderUnreachable, wanted: Wanted) -> web.Response:
    log.error("the OpenID provider is unreachable: %s", error)
    return _problem(
        503,
        "The sign-in service does not answer",
        "This server asks another service who you are, and that one cannot be reached now. Your notebook is "
        "not affected. Try again in a minute.",
        wanted,
    )


def _failed(error: str, wanted: Wanted) -> web.Response:
    if error == "access_denied":
        return _problem(
            403,
            "You are not signed in",
            "The sign-in was cancelled, or the sign-in service does not let you use this server.",
            wanted,
        )
    log.warning("the OpenID provider answers a sign-in with the error %r", error[:100])
    return _problem(
        502,
        "The sign-in service reports an error",
        f"It says “{error[:100]}”. If that stays so, tell an administrator of this server.",
        wanted,
    )


def _not_verified(email: str | None, wanted: Wanted) -> web.Response:
    if email is None:
        title, text = "Your account has no e-mail address", "The sign-in service told none that can be used."
    else:
        title = "Your e-mail address is not verified"
        text = (
            f"The sign-in service does not vouch that {email} is yours. Have it verified there, then sign in again."
        )
    return _problem(403, title, f"{text} Here an e-mail address tells whose notebook is whose.", wanted, switch=True)


def _lost() -> web.Response:
    return _problem(
        400,
        "This sign-in has run out",
        "It was begun more than ten minutes ago, in another browser, or it has been finished already; or this "
        "browser keeps no cookies. Nothing is lost: begin again.",
        Wanted(),
    )


def _signed_out(wanted: Wanted) -> web.Response:
    link = (_again(wanted, **{_CHOOSE: "1"}), "Sign in")
    return page("problem.html", title="You are signed out", text="Notebooks go on running.", link=link)
