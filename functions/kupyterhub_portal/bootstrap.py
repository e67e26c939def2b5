"""The only wiring: settings are read and clients made on the first request, once in an instance."""

import os
from datetime import UTC, datetime
from functools import cache

from google.cloud import firestore

from kupyterhub_portal.admin_pages import AdminPages
from kupyterhub_portal.app import Frame, Portal
from kupyterhub_portal.entrance import Entrance
from kupyterhub_portal.everybody import Everybody
from kupyterhub_portal.forms import Forms
from kupyterhub_portal.limits import Limit
from kupyterhub_portal.listing import Listing
from kupyterhub_portal.own import OwnServers
from kupyterhub_portal.own_pages import OwnPages
from kupyterhub_portal.sessions import Sessions
from kupyterhub_portal.settings import Iap, Local, PortalSettings, read
from kupyterhub_portal.store import Store


@cache
def portal() -> Portal:
    """Make this instance's portal; raises SettingsError."""
    return wired(read(os.environ), Store(firestore.Client()))


def wired(settings: PortalSettings, store: Store) -> Portal:
    """Make a portal of its parts."""

    def clock() -> datetime:
        return datetime.now(UTC)

    of_users = settings.of_users
    forms = Forms(settings.key, settings.origin)
    entrance = _entrance(settings, forms)
    frame = Frame(forms, entrance, of_users.admins)
    everybody = Everybody(store, of_users, clock)
    return Portal(
        settings.origin,
        entrance,
        forms,
        frame,
        # A page that looks each two seconds needs 0.5; several of them, in several tabs, are fine.
        reads=Limit(burst=120, per_second=5),
        writes=Limit(burst=20, per_second=0.5),
        of_people=OwnPages(frame, OwnServers(store, of_users, clock), everybody).routes(),
        of_admins=AdminPages(frame, Listing(store), everybody, of_users).routes(),
    )


def _entrance(settings: PortalSettings, forms: Forms) -> Entrance:
    identity = settings.identity
    if isinstance(identity, Iap):
        # Imported where they are needed, as each costs the start of an instance something.
        from kupyterhub_portal.identities.iap import IapEntrance  # noqa: PLC0415

        return IapEntrance(identity.audience, identity.keys_url)
    sessions = Sessions(settings.key, secure=settings.origin.startswith("https:"))
    if isinstance(identity, Local):
        from kupyterhub_portal.identities.local import LocalEntrance  # noqa: PLC0415

        return LocalEntrance(sessions, forms, settings.of_users.admins)
    from kupyterhub_portal.identities.oidc import OidcEntrance  # noqa: PLC0415

    return OidcEntrance(sessions, forms, identity, settings.origin, settings.key)
