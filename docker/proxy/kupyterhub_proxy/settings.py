"""The server's settings: its environment, read once at its start.

Its public URLs are https, but for `local` identity without certificate files. TLS may end before the server, at
a Gateway: without certificate files it speaks plain http there. That demands that nobody but the Gateway reaches
the port (a NetworkPolicy), that the Gateway passes `Host` on as it came, and that plain http from outside ends
in a redirect. With `iap`, agents' host is a backend of its own without it: agents have no Google identity.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_proxy.certificates import GOOGLE_CERTIFICATES
from kupyterhub_proxy.environment import SettingsError, file_bytes, required
from kupyterhub_proxy.hosts import Hosts
from kupyterhub_proxy.identities.settings import Local, is_loopback, read_identity
from kupyterhub_proxy.open_requests import JUDGED_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kupyterhub_proxy.identities.settings import Iap, Oidc

__all__ = ["Address", "Settings", "SettingsError", "TlsFiles", "read"]

KEY_BYTES = 32
# As browsers and the portal write it: without the port that goes without saying.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:(?!443$)[0-9]+)?")


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


class TlsFiles(NamedTuple):
    """A certificate chain and its key, PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class GoogleAgents:
    """Agents of google/inverting-proxy's are let in; without this, none."""

    allowed_file: Path
    """Which of Google's service accounts may serve whom."""
    certificates_url: str = GOOGLE_CERTIFICATES
    """Other certificates are for tests: no variable sets this."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is told."""

    hosts: Hosts
    identity: Local | Iap | Oidc
    listen: Address
    health_listen: Address
    admins_file: Path
    agent_issuers_file: Path
    google_agents: GoogleAgents | None
    topic: str
    session_key: bytes = field(repr=False)
    tls: TlsFiles | None
    replicas: int
    """How many processes serve this domain, this one included."""
    judged_seconds: float = JUDGED_SECONDS
    """How often what is open is judged again. Other values are for tests: no variable sets this."""


def read(environment: Mapping[str, str]) -> Settings:
    """Read the environment and the session key's file; raises SettingsError."""
    tls = _tls(environment)
    identity = read_identity(environment)
    listen = _address(environment, "KUPYTERHUB_LISTEN")
    if isinstance(identity, Local) and not is_loopback(listen.host):
        raise SettingsError(
            f"KUPYTERHUB_LISTEN is {listen.host}:{listen.port}; with KUPYTERHUB_IDENTITY=local everybody "
            "who reaches the server may be anybody, so it listens on a loopback address only, as 127.0.0.1"
        )
    scheme = "http" if isinstance(identity, Local) and tls is None else "https"
    return Settings(
        hosts=Hosts(scheme, required(environment, "KUPYTERHUB_DOMAIN").lower(), _portal(environment, scheme)),
        identity=identity,
        listen=listen,
        health_listen=_address(environment, "KUPYTERHUB_HEALTH_LISTEN"),
        admins_file=Path(required(environment, "KUPYTERHUB_ADMINS_FILE")),
        agent_issuers_file=Path(required(environment, "KUPYTERHUB_AGENT_ISSUERS")),
        google_agents=_google_agents(environment),
        topic=required(environment, "KUPYTERHUB_TOPIC"),
        session_key=_session_key(environment, identity),
        tls=tls,
        replicas=_replicas(environment),
    )


def _address(environment: Mapping[str, str], variable: str) -> Address:
    text = required(environment, variable)
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"{variable} is {text!r}; it should be host:port, as 127.0.0.1:8000")
    return Address(host.strip("[]"), int(port))


def _portal(environment: Mapping[str, str], scheme: str) -> str | None:
    text = environment.get("KUPYTERHUB_PORTAL_URL", "").strip()
    origin = text.lower().removesuffix("/")
    # What is said of people goes there, and nowhere else.
    if text and not (origin.startswith(("https:", f"{scheme}:")) and _ORIGIN.fullmatch(origin)):
        raise SettingsError(f"KUPYTERHUB_PORTAL_URL is {text!r}; it should be https and a host, with no path")
    return origin or None


def _replicas(environment: Mapping[str, str]) -> int:
    text = environment.get("KUPYTERHUB_REPLICAS", "1").strip()
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"KUPYTERHUB_REPLICAS is {text!r}; it should be how many replicas there are, as 2")
    return int(text)


def _google_agents(environment: Mapping[str, str]) -> GoogleAgents | None:
    path = environment.get("KUPYTERHUB_GOOGLE_AGENTS", "").strip()
    return GoogleAgents(Path(path)) if path else None


def _tls(environment: Mapping[str, str]) -> TlsFiles | None:
    certificate = environment.get("KUPYTERHUB_TLS_CERT_FILE", "")
    key = environment.get("KUPYTERHUB_TLS_KEY_FILE", "")
    if bool(certificate) != bool(key):
        raise SettingsError("KUPYTERHUB_TLS_CERT_FILE and KUPYTERHUB_TLS_KEY_FILE are given together or not")
    return TlsFiles(Path(certificate), Path(key)) if certificate else None


def _session_key(environment: Mapping[str, str], identity: Local | Iap | Oidc) -> bytes:
    variable = "KUPYTERHUB_SESSION_KEY_FILE"
    if isinstance(identity, Local) and not environment.get(variable):
        return secrets.token_bytes(KEY_BYTES)  # everybody signs in anew after a restart
    key = file_bytes(environment, variable)
    if len(key) < KEY_BYTES:
        raise SettingsError(f"{variable} {environment[variable]} holds less than {KEY_BYTES} bytes")
    return key
