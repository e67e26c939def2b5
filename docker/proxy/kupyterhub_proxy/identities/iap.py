"""Identity by Google's Identity-Aware Proxy, which stands before this server and signs in everybody.

Each request says who asks, so there are no sessions of ours and no codes.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy.entrance import SIGN_OUT_PATH, SignOut
from kupyterhub_proxy.identities.iap_assertions import AssertionRefused, KeysUnreachable
from kupyterhub_proxy.pages import page, redirect
from kupyterhub_proxy.visitor import Visitor
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.identities.iap_assertions import Assertions

ASSERTION_HEADER = "X-Goog-IAP-JWT-Assertion"
# https://cloud.google.com/iap/docs/query-parameters-and-headers-howto; IAP answers it, on any path.
_SIGN_OUT = "/?gcp-iap-mode=CLEAR_LOGIN_COOKIE"
# IAP judges requests, and never again a WebSocket that is open: its page opens another, which IAP judges.
_OPEN = timedelta(hours=1)

log = logging.getLogger(__name__)


class IapEntrance:
    """By the assertion of each request."""

    def __init__(self, assertions: Assertions) -> None:
        self._assertions = assertions

    async def visitor(self, request: web.BaseRequest, name: str) -> Visitor | web.Response:  # noqa: ARG002 - one for all hosts
        """Read the assertion, or say what is wrong with it."""
        given = request.headers.getall(ASSERTION_HEADER, [])
        if not given:
            return _problem(
                401,
                "This request did not come through Identity-Aware Proxy",
                "This server lets people in by what Identity-Aware Proxy says of them, and this request carries "
                f"no {ASSERTION_HEADER}. Either it went past the load balancer, or Identity-Aware Proxy is "
                "switched off for this backend.",
            )
        try:
            # Two of them would leave open which one counts.
            email = await self._assertions.email(given[0] if len(given) == 1 else "")
        except AssertionRefused as error:
            log.warning("refused an assertion from %s: %s", request.remote, error)
            return _problem(
                403,
                "Identity-Aware Proxy did not vouch for this request",
                f"Its {ASSERTION_HEADER} was refused: {error}. If this stays so after a reload, an administrator "
                "should compare KUPYTERHUB_IAP_AUDIENCE with the backend's signed header audience.",
                (_SIGN_OUT, "Sign in again"),
            )
        except KeysUnreachable as error:
            log.error("no keys to verify assertions with: %s", error)  # noqa: TRY400 - the text says it all
            return _problem(
                503,
                "It cannot be verified who you are",
                "The public keys of Identity-Aware Proxy cannot be reached now. Try again in a minute.",
            )
        now = datetime.now(UTC)
        return Visitor(email, now + _OPEN, now)

    def answer(self, request: web.BaseRequest, name: str) -> web.Response | None:  # noqa: ARG002 - as above
        """Sign out at the one path that all modes have."""
        return redirect(_SIGN_OUT) if (request.method, request.path) == ("GET", SIGN_OUT_PATH) else None

    def lasts(self, visitor: Visitor) -> bool:
        """Whether what is open should be asked for again."""
        return datetime.now(UTC) < visitor.until

    def renew(self, response: web.StreamResponse, visitor: Visitor, name: str) -> None:
        """Nothing: IAP does."""

    def sign_out(self) -> SignOut:
        """By a link: IAP leads to Google's pages, where a form of ours may not."""
        return SignOut(_SIGN_OUT, by_link=True)


class IapLoginHost:
    """`login.<domain>`, where nobody signs in: leads people to their own notebook."""

    def __init__(self, hosts: Hosts, entrance: IapEntrance) -> None:
        self._hosts = hosts
        self._entrance = entrance

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to this host."""
        if (request.method, request.path) != ("GET", "/"):
            return web.Response(status=404, text="there is nothing here but the way to your notebook\n")
        visitor = await self._entrance.visitor(request, "login")
        if isinstance(visitor, web.Response):
            return visitor
        return redirect(f"{self._hosts.user(base_name(visitor.email))}/")


def _problem(status: int, title: str, text: str, link: tuple[str, str] = ("/", "Try again")) -> web.Response:
    return page("problem.html", status=status, title=title, text=text, link=link)
