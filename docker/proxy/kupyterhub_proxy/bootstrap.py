"""The only wiring of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_proxy.agents import AgentsHost, Replica
from kupyterhub_proxy.announcing import Announcing
from kupyterhub_proxy.cookies import Cookies
from kupyterhub_proxy.entrance import SessionEntrance
from kupyterhub_proxy.forward import Forwarder
from kupyterhub_proxy.identities.local import LocalIdentity
from kupyterhub_proxy.identities.settings import Iap, Local, Oidc
from kupyterhub_proxy.login import SignInHost
from kupyterhub_proxy.open_requests import OpenRequests
from kupyterhub_proxy.people import People
from kupyterhub_proxy.portal_assertions import PortalAssertions
from kupyterhub_proxy.registry import Registry
from kupyterhub_proxy.server import Front
from kupyterhub_proxy.sessions import Sessions
from kupyterhub_proxy.sign_outs import SignOuts
from kupyterhub_proxy.tokens import Verifier, read_issuers
from kupyterhub_proxy.users import UserHosts

if TYPE_CHECKING:
    from kupyterhub_proxy.entrance import Entrance
    from kupyterhub_proxy.login import Identity, LoginHost
    from kupyterhub_proxy.polling.host import PollingHost
    from kupyterhub_proxy.settings import GoogleAgents, Settings
    from kupyterhub_proxy.visitor import Visitor
    from kupyterhub_tunnel.agent_events import Outbox


def build(settings: Settings, outbox: Outbox) -> Front:
    """Make the server of these settings. Reads the issuers' and the administrators' files."""
    registry = Registry()
    people = People(settings.admins_file)
    people.admins()  # a missing file is an error now, not at somebody's first request

    def may_pass(visitor: Visitor, name: str) -> bool:
        return entrance.lasts(visitor) and people.may_open(visitor.email, name)

    open_requests = OpenRequests(may_pass, settings.judged_seconds)
    sign_outs = SignOuts(settings.session_key, registry, people, open_requests.judge_soon)
    login, entrance = _ways_in(settings, registry, people, sign_outs)
    return Front(
        settings.hosts,
        login,
        _agents(settings, registry, sign_outs, outbox),
        UserHosts(
            settings.hosts,
            entrance,
            people,
            registry,
            forwarder=Forwarder(),
            open_requests=open_requests,
        ),
    )


def _agents(settings: Settings, registry: Registry, sign_outs: SignOuts, outbox: Outbox) -> AgentsHost:
    verifier = Verifier(read_issuers(settings.agent_issuers_file), settings.hosts.audience)
    polling = _polling(settings, settings.google_agents, registry) if settings.google_agents else None
    announcing = Announcing(settings.hosts, registry, outbox)
    return AgentsHost(verifier, announcing, sign_outs, Replica(settings.replicas), polling)


def _ways_in(
    settings: Settings, registry: Registry, people: People, sign_outs: SignOuts
) -> tuple[LoginHost, Entrance]:
    hosts, identity = settings.hosts, settings.identity
    if isinstance(identity, Iap):
        return _iap(settings, identity)
    cookies = Cookies(secure=hosts.scheme == "https")
    sessions = Sessions(settings.session_key, cookies, sign_outs)
    way: Identity
    match identity:
        case Local():
            way = LocalIdentity(hosts, registry, people)
        case Oidc():
            way = _oidc(settings, identity, cookies)
    assertions = PortalAssertions(settings.session_key, hosts.login, hosts.portal) if hosts.portal else None
    return SignInHost(hosts, sessions, way, assertions), SessionEntrance(hosts, sessions)


# What these import takes some 0.3 s, which those who use none of it need not wait for.


def _iap(settings: Settings, iap: Iap) -> tuple[LoginHost, Entrance]:
    from kupyterhub_proxy.certificates import Certificates  # noqa: PLC0415 - see above
    from kupyterhub_proxy.identities.iap import IapEntrance, IapLoginHost  # noqa: PLC0415 - see above
    from kupyterhub_proxy.identities.iap_assertions import Assertions  # noqa: PLC0415 - see above

    entrance = IapEntrance(Assertions(iap.audience, Certificates(iap.keys_url)))
    return IapLoginHost(settings.hosts, entrance), entrance


def _polling(settings: Settings, google: GoogleAgents, registry: Registry) -> PollingHost:
    from kupyterhub_proxy.certificates import Certificates  # noqa: PLC0415 - see above
    from kupyterhub_proxy.polling.allowed import read_allowed  # noqa: PLC0415 - see above
    from kupyterhub_proxy.polling.host import PollingHost  # noqa: PLC0415 - see above
    from kupyterhub_proxy.polling.vm_identity import VmVerifier  # noqa: PLC0415 - see above

    # Google's agent asks for a token for its -proxy as it is written, which must end in a slash.
    verifier = VmVerifier(Certificates(google.certificates_url), f"{settings.hosts.agents}/")
    return PollingHost(settings.hosts, verifier, read_allowed(google.allowed_file), registry)


def _oidc(settings: Settings, oidc: Oidc, cookies: Cookies) -> Identity:
    from kupyterhub_proxy.identities.attempts import Attempts  # noqa: PLC0415 - see above
    from kupyterhub_proxy.identities.oidc import CALLBACK_PATH, OidcIdentity  # noqa: PLC0415 - see above
    from kupyterhub_proxy.identities.provider import Provider  # noqa: PLC0415 - see above

    provider = Provider(oidc, f"{settings.hosts.login}{CALLBACK_PATH}")
    return OidcIdentity(settings.hosts, provider, Attempts(settings.session_key, cookies))
