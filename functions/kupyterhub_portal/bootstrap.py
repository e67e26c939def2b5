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
from kupyterhub_portal.identities.assertions import Assertions
from kupyterhub_portal.identities.iap import ISSUER, IapEntrance
from kupyterhub_portal.identities.sign_in_host import SignInHostEntrance
from kupyterhub_portal.limits import Limit
from kupyterhub_portal.listing import Listing
from kupyterhub_portal.own import OwnServers
from kupyterhub_portal.own_pages import OwnPages
from kupyterhub_portal.sessions import Sessions
from kupyterhub_portal.settings import Iap, PortalSettings, read
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
        return IapEntrance(Assertions(ISSUER, identity.audience, identity.keys_url))
    assertions = Assertions(identity.origin, settings.origin, identity.keys_url)
    sessions = Sessions(settings.key, secure=settings.origin.startswith("https:"))
    return SignInHostEntrance(identity.origin, assertions, sessions, forms)
