"""Identity for one machine: whoever sits at it says who they are. The settings allow it on loopback only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_proxy.names import normalise_email
from kupyterhub_proxy.pages import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from kupyterhub_proxy.people import People
    from kupyterhub_proxy.registry import Registry


class LocalIdentity:
    """Offers the users with an agent and the administrators, and takes any e-mail."""

    def __init__(self, registry: Registry, people: People) -> None:
        self._registry = registry
        self._people = people

    def ask(
        self, wanted: Mapping[str, str], form_targets: tuple[str, ...], signed_in: str | None, problem: str
    ) -> web.Response:
        """Show the plain page that asks who somebody is."""
        admins = self._people.admins()
        return page(
            "sign-in.html",
            status=400 if problem else 200,
            form_targets=form_targets,
            wanted=wanted,
            identities=[(email, email in admins) for email in sorted(self._registry.emails() | admins)],
            signed_in=signed_in,
            problem=problem,
        )

    def proven(self, form: Mapping[str, str]) -> str | None:
        """Take the e-mail at its word."""
        return normalise_email(form.get("email", ""))
