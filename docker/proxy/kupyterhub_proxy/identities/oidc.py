"""Identity by an OpenID provider: the pages and redirects of a sign-in on `login.<domain>`.

There are no forms here but the one to sign out: browsers check where a form's redirects lead, and a provider
may lead anywhere.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy import cookies
from kupyterhub_proxy.identities import oidc_pages as pages
from kupyterhub_proxy.identities.provider import ProviderRefused, ProviderUnreachable
from kupyterhub_proxy.pages import page
from kupyterhub_proxy.wanted import MOST_PATH, Wanted
from kupyterhub_rules.names import base_name, normalise_email

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.identities.attempts import Attempt, Attempts
    from kupyterhub_proxy.identities.provider import Provider

CALLBACK_PATH = "/callback"
SIGNED_OUT_PATH = "/signed-out"

log = logging.getLogger(__name__)


class OidcIdentity:
    """Sends people to the provider and takes what it says of them."""

    def __init__(self, hosts: Hosts, provider: Provider, attempts: Attempts) -> None:
        self._hosts = hosts
        self._provider = provider
        self._attempts = attempts

    async def ask(self, wanted: Wanted) -> web.Response:
        """Lead on to the provider, by a page that keeps the whole address."""
        return page("leading-on.html", url=pages.sign_in(wanted), most=MOST_PATH)

    async def _begin(self, request: web.BaseRequest, wanted: Wanted) -> web.Response:
        response = web.Response(status=303, headers={"Cache-Control": "no-store"})
        attempt = self._attempts.begin(response, cookies.read(request), wanted)
        try:
            url = await self._provider.sign_in_url(attempt, choose=pages.CHOOSE in request.query)
        except ProviderUnreachable as error:
            log.error("the OpenID provider is unreachable: %s", error)  # noqa: TRY400 - the text says it all
            return pages.unreachable(wanted)
        response.headers["Location"] = url
        return response

    async def answer(
        self, request: web.BaseRequest, welcome: Callable[[str, Wanted], web.Response]
    ) -> web.Response | None:
        """Begin again, or take what the provider sends back."""
        match request.method, request.path:
            case "GET", path if path == pages.SIGN_IN_PATH:
                return await self._begin(request, Wanted.read(request.query))
            case "GET", path if path == pages.SWITCH_PATH:
                return await self.part(Wanted.read(request.query))
            case "GET", path if path == SIGNED_OUT_PATH:
                return pages.signed_out(Wanted())
            case "GET", path if path == CALLBACK_PATH:
                attempt = self._attempts.find(cookies.read(request), request.query.get("state", ""))
                if attempt is None:
                    return pages.lost()
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
        return pages.signed_out(wanted) if url is None else page("signing-out.html", url=url)

    async def _finish(
        self, request: web.BaseRequest, attempt: Attempt, welcome: Callable[[str, Wanted], web.Response]
    ) -> web.Response:
        wanted = attempt.wanted
        if "error" in request.query:
            log.warning("the OpenID provider answers a sign-in with the error %r", request.query["error"][:100])
            return pages.failed(request.query["error"][:100], wanted)
        try:
            claims = await self._provider.claims(attempt, request.query.get("code", ""))
        except ProviderUnreachable as error:
            log.error("the OpenID provider is unreachable: %s", error)  # noqa: TRY400 - the text says it all
            return pages.unreachable(wanted)
        except ProviderRefused as error:
            log.warning("refused a sign-in: %s", error)
            return pages.refused(wanted)
        email = normalise_email(str(claims.get("email", "")))
        # A text "true" is no proof: only the boolean is what the standard says (OpenID Connect Core 1.0, 5.1).
        if email is None or claims.get("email_verified") is not True:
            return pages.not_verified(email, wanted)
        return welcome(email, wanted)
