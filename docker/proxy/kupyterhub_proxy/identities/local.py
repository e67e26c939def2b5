"""Identity for one machine: whoever sits at it says who they are. The settings allow it on loopback only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_proxy.pages import page
from kupyterhub_proxy.wanted import MOST_PATH, Wanted
from kupyterhub_rules.names import normalise_email

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.people import People
    from kupyterhub_proxy.registry import Registry


class LocalIdentity:
    """Offers the users with an agent and the administrators, and takes any e-mail."""

    def __init__(self, hosts: Hosts, registry: Registry, people: People) -> None:
        self._hosts = hosts
        self._registry = registry
        self._people = people

    async def ask(self, wanted: Wanted) -> web.Response:
        """Show the plain page that asks who somebody is."""
        return self._page(wanted)

    async def answer(
        self, request: web.BaseRequest, welcome: Callable[[str, Wanted], web.Response]
    ) -> web.Response | None:
        """Take the e-mail of that page's form at its word."""
        if (request.method, request.path) != ("POST", "/sign-in"):
            return None
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        wanted, email = Wanted.read(form), normalise_email(form.get("email", ""))
        if email is None:
            return self._page(wanted, problem="That is not an e-mail address.")
        return welcome(email, wanted)

    async def greet(self, email: str) -> web.Response:
        """Show the page with who it is."""
        return self._page(Wanted(), signed_in=email)

    async def part(self, wanted: Wanted) -> web.Response:
        """Ask anew. Where they were is asked for again once they are somebody, with a proof of then."""
        return self._page(Wanted(wanted.host))

    def _page(self, wanted: Wanted, *, signed_in: str | None = None, problem: str = "") -> web.Response:
        admins = self._people.admins()
        return page(
            "sign-in.html",
            status=400 if problem else 200,
            # The form ends where they wanted to go, by a redirect; where that is nowhere, at the person's own host.
            form_targets=(self._hosts.wanted(wanted.host or "*"),),
            wanted=wanted.fields(),
            identities=[(email, email in admins) for email in sorted(self._registry.emails() | admins)],
            signed_in=signed_in,
            problem=problem,
            most=MOST_PATH,
        )
