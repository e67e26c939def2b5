"""A portal on the Firestore emulator, in a project of each test's own."""

from collections.abc import Callable, Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

import local_system
from cluster.portal.portal_site import LOGIN, ORIGIN, SETTINGS, Site
from kupyterhub import settings as files
from kupyterhub_portal.settings import PortalSettings, SignInHost
from kupyterhub_portal.store import Store


@pytest.fixture
def client_of(emulators: local_system.RunningEmulators) -> Iterator[Callable[[str], firestore.Client]]:
    clients: list[firestore.Client] = []

    def make(project: str) -> firestore.Client:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
            clients.append(firestore.Client(project, AnonymousCredentials()))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def site(client_of: Callable[[str], firestore.Client], request: pytest.FixtureRequest) -> Site:
    # Project ids are short, and of few characters.
    client = client_of(f"portal-{abs(hash(request.node.name)) % 10**12}")
    settings = PortalSettings(ORIGIN, SignInHost(LOGIN), b"k" * 32, files.parse(SETTINGS))
    return Site(client.collection("users"), settings, Store(client))
