"""The only wiring of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_proxy.agents import AgentsHost
from kupyterhub_proxy.local_identity import LocalIdentity
from kupyterhub_proxy.login import LoginHost
from kupyterhub_proxy.people import People
from kupyterhub_proxy.registry import Registry
from kupyterhub_proxy.server import Front
from kupyterhub_proxy.sessions import Sessions
from kupyterhub_proxy.tokens import Verifier, read_issuers
from kupyterhub_proxy.users import UserHosts

if TYPE_CHECKING:
    from kupyterhub_proxy.settings import Settings
    from kupyterhub_tunnel.agent_events import Outbox


def build(settings: Settings, outbox: Outbox) -> Front:
    """Make the server of these settings. Reads the issuers' and the administrators' files."""
    registry = Registry()
    people = People(settings.admins_file)
    people.admins()  # a missing file is an error now, not at somebody's first request
    sessions = Sessions(settings.session_key, secure=settings.hosts.scheme == "https")
    verifier = Verifier(read_issuers(settings.agent_issuers_file), settings.hosts.audience)
    return Front(
        settings.hosts,
        LoginHost(settings.hosts, sessions, LocalIdentity(registry, people)),
        AgentsHost(settings.hosts, verifier, registry, outbox),
        UserHosts(settings.hosts, sessions, people, registry),
    )
