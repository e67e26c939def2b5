"""Proxy server, agents and browsers on loopback, as one system; each part is the real one but for Pub/Sub."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jwt
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm
from yarl import URL

from certificates import self_signed
from kupyterhub_agent import settings as agent_settings
from kupyterhub_agent.crowd import Crowd, gathering
from kupyterhub_agent.link import ForwarderFactory
from kupyterhub_agent.server_link import ServerLink
from kupyterhub_agent.watch import Pace
from kupyterhub_proxy.bootstrap import build
from kupyterhub_proxy.server import serving
from kupyterhub_proxy.settings import Settings as ProxySettings
from kupyterhub_proxy.settings import read as read_proxy_settings
from kupyterhub_rules.names import base_name
from kupyterhub_tunnel.agent_events import Outbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

ADA, EVE, ADMIN = "ada@example.org", "eve@example.org", "admin@example.org"
HTML = {"Accept": "text/html"}
QUICK = Pace(starting=0.05, answering=0.2)
ISSUER = "https://127.0.0.1:6443"
NAMESPACE = "kupyterhub"


class Loopback(AbstractResolver):
    """Finds every name on this machine, as browsers do for *.localhost."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until it holds; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


class Cluster:
    """What signs agents' tokens."""

    def __init__(self, key: rsa.RSAPrivateKey | None = None) -> None:
        self._key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self) -> str:
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]})

    def token(self, name: str, uid: str, **changed: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": ["http://agents.localhost"],
            "sub": f"system:serviceaccount:{NAMESPACE}:agent-{name}",
            "exp": datetime.now(UTC) + timedelta(hours=1),
            "kubernetes.io": {"namespace": NAMESPACE, "pod": {"name": "agent", "uid": uid}},
        }
        claims |= changed
        claims = {key: value for key, value in claims.items() if value is not None}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})


class Certificate:
    """A certificate for all hosts of a domain, which signs itself."""

    def __init__(self, folder: Path, domain: str) -> None:
        self._certificate, self._key = folder / "tls.crt", folder / "tls.key"
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = x509.SubjectAlternativeName([x509.DNSName(f"*.{domain}")])
        certificate = self_signed(key, domain, hosts)
        self._certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        self._key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    @property
    def files(self) -> tuple[str, str]:
        return str(self._certificate), str(self._key)

    def environment(self) -> dict[str, str]:
        return dict(zip(("KUPYTERHUB_TLS_CERT_FILE", "KUPYTERHUB_TLS_KEY_FILE"), self.files, strict=True))

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._certificate)


class JupyterLab(NamedTuple):
    """Where it is and what opens it."""

    url: str
    token: str


class StrictPublisher:
    """Pub/Sub's place; takes only what the contract allows."""

    def __init__(self) -> None:
        self.events: list[dict[str, str]] = []

    async def publish(self, fields: dict[str, str]) -> None:
        required = {"type", "user", "name", "instance", "proxyUrl", "registeredAt", "sentAt"}
        optional = {"lastActivity"} if fields["type"] == "idle" else set()
        assert set(fields) == required | optional, fields
        assert fields["type"] in {"registered", "idle", "lost"}
        for key in fields.keys() & {"registeredAt", "lastActivity", "sentAt"}:
            assert datetime.fromisoformat(fields[key]).tzinfo is not None
        assert urlsplit(fields["proxyUrl"]).path == "/"
        self.events.append(fields)

    async def until(self, kind: str, name: str) -> dict[str, str]:
        def wanted() -> list[dict[str, str]]:
            return [event for event in self.events if (event["type"], event["name"]) == (kind, name)]

        await eventually(lambda: bool(wanted()))
        return wanted()[0]


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)  # slow: once for all tests


@dataclass
class System:
    """A running proxy server and what it needs."""

    port: int
    folder: Path
    scheme: str
    domain: str
    tls: ssl.SSLContext | None = None
    cluster: Cluster = field(default_factory=lambda: Cluster(_key()))
    publisher: StrictPublisher = field(default_factory=StrictPublisher)

    def url(self, label: str, path: str = "/") -> URL:
        return URL(f"{self.scheme}://{label}.{self.domain}{path}", encoded=True)

    def origin(self, label: str) -> str:
        return f"{self.scheme}://{label}.{self.domain}"

    def connector(self) -> aiohttp.TCPConnector:
        """Reach the system as a browser would, by its names."""
        return aiohttp.TCPConnector(resolver=Loopback(), ssl=self.tls or True)

    def token(self, name: str, uid: str) -> str:
        audience = f"{self.scheme}://agents.{self.domain.partition(':')[0]}"
        return self.cluster.token(name, uid, aud=[audience])

    def agent_settings(
        self, email: str, backend: str, *, token: str | None = None, jupyter: str = "t"
    ) -> agent_settings.Settings:
        name = base_name(email)
        uid = f"uid-{name}"
        (self.folder / "jupyter-token").write_text(jupyter)
        (self.folder / f"token-{name}").write_text(token or self.token(name, uid))
        return agent_settings.read(
            {
                "KUPYTERHUB_PROXY": "local",
                "KUPYTERHUB_PROXY_URL": self.origin("agents"),
                "KUPYTERHUB_NAME": name,
                "KUPYTERHUB_USER": f"u-{name}",
                "KUPYTERHUB_EMAIL": email,
                "KUPYTERHUB_BACKEND": backend,
                "KUPYTERHUB_TOKEN_FILE": str(self.folder / "jupyter-token"),
                "KUPYTERHUB_PROXY_TOKEN_FILE": str(self.folder / f"token-{name}"),
                "POD_IP": "127.0.0.1",
                "POD_UID": uid,
            }
        )


@contextlib.asynccontextmanager
async def running_proxy(
    folder: Path,
    *,
    domain: str = "localhost",
    certificate: Certificate | None = None,
    listen: tuple[str, int] | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    change: Callable[[ProxySettings], ProxySettings] = lambda settings: settings,
) -> AsyncIterator[System]:
    """Run one server. `environment` goes over the usual, `change` over what is read of it."""
    host, port = listen or ("127.0.0.1", free_port())
    scheme = "https" if certificate else "http"
    system = System(port, folder, scheme, f"{domain}:{port}", certificate.trust() if certificate else None)
    (folder / "jwks.json").write_text(system.cluster.jwks())
    issuers = [{"issuer": ISSUER, "jwks": str(folder / "jwks.json"), "namespace": NAMESPACE}]
    (folder / "issuers.json").write_text(json.dumps(issuers))
    (folder / "admins").write_text(f"# people who may open everything\n{ADMIN}\n")
    usual = {
        "KUPYTERHUB_DOMAIN": system.domain,
        "KUPYTERHUB_IDENTITY": "local",
        "KUPYTERHUB_ADMINS_FILE": str(folder / "admins"),
        "KUPYTERHUB_AGENT_ISSUERS": str(folder / "issuers.json"),
        "KUPYTERHUB_TOPIC": "projects/p/topics/agent-events",
        "KUPYTERHUB_LISTEN": f"{host}:{port}",
        "KUPYTERHUB_HEALTH_LISTEN": "127.0.0.1:1",
        **(certificate.environment() if certificate else {}),
    }
    settings = change(read_proxy_settings({**usual, **environment}))
    outbox = Outbox(system.publisher)
    async with serving(build(settings, outbox), settings):
        yield system
    await outbox.close(1)


@contextlib.asynccontextmanager
async def running_agent(
    settings: agent_settings.Settings, system: System, pace: Pace = QUICK
) -> AsyncIterator[Crowd]:
    """Run the agent of one person, with a quick pace and this system's names."""

    def connect(forwarder: ForwarderFactory, heard: Callable[[str, datetime], None]) -> ServerLink:
        return ServerLink(settings.proxy, forwarder, heard, connector=system.connector, token_look_seconds=0.1)

    async with gathering(connect, pace=pace) as crowd:
        await crowd.become({settings.serves.name: settings.serves})
        yield crowd


class Browser:
    """A person's browser: cookies per host, every name on loopback; it says where a request comes from."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.session = aiohttp.ClientSession(
            connector=system.connector(),
            auto_decompress=False,
            cookie_jar=aiohttp.CookieJar(),
        )

    def request(self, method: str, label: str, path: str = "/", **more: Any) -> Any:
        headers = dict(more.pop("headers", {}))
        if method not in {"GET", "HEAD", "OPTIONS"}:
            headers.setdefault("Origin", self.system.origin(label))
        return self.session.request(
            method, self.system.url(label, path), headers=headers, **{"allow_redirects": False, **more}
        )

    def websocket(self, label: str, path: str, **more: Any) -> Any:
        headers = {"Origin": self.system.origin(label), **more.pop("headers", {})}
        return self.session.ws_connect(self.system.url(label, path), headers=headers, **more)

    async def sign_in(self, email: str, label: str | None = None) -> None:
        """Open a user's host as a person does, until its session is there."""
        label = label or base_name(email)
        async with self.request("GET", label, "/lab?x=1", headers=HTML) as answer:
            assert answer.status == 303, await answer.text()
            login = URL(answer.headers["Location"], encoded=True)
        wanted = {key: values[0] for key, values in parse_qs(login.raw_query_string).items()}
        async with self.session.get(login, headers=HTML) as page:
            assert page.status == 200
            assert "one machine only" in await page.text()
        async with self.request("POST", "login", "/sign-in", data={**wanted, "email": email}) as answer:
            assert answer.status == 303, await answer.text()
            back = URL(answer.headers["Location"], encoded=True)
        assert back.authority == f"{label}.{self.system.domain}"
        async with self.session.get(back, headers=HTML, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == f"{self.system.origin(label)}/lab?x=1"

    async def close(self) -> None:
        await self.session.close()


def altered(settings: agent_settings.Settings, **changed: Any) -> agent_settings.Settings:
    """Change the person who is served."""
    return dataclasses.replace(settings, serves=dataclasses.replace(settings.serves, **changed))
