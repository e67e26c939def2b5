"""The server's settings: its environment, read once at its start."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_proxy.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES = 32


class SettingsError(Exception):
    """The environment is incomplete or wrong; the text says which variable and what it should be."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


class TlsFiles(NamedTuple):
    """A certificate chain and its key, PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is told."""

    hosts: Hosts
    listen: Address
    health_listen: Address
    admins_file: Path
    agent_issuers_file: Path
    topic: str
    session_key: bytes
    tls: TlsFiles | None


def read(environment: Mapping[str, str]) -> Settings:
    """Read the environment and the session key's file; raises SettingsError."""
    tls = _tls(environment)
    identity = _required(environment, "KUPYTERHUB_IDENTITY")
    listen = _address(environment, "KUPYTERHUB_LISTEN")
    if identity != "local":
        raise SettingsError(f"KUPYTERHUB_IDENTITY is {identity!r}; this server knows local")
    if not _is_loopback(listen.host):
        raise SettingsError(
            f"KUPYTERHUB_LISTEN is {listen.host}:{listen.port}; with KUPYTERHUB_IDENTITY=local everybody "
            "who reaches the server may be anybody, so it listens on a loopback address only, as 127.0.0.1"
        )
    return Settings(
        hosts=Hosts("https" if tls else "http", _required(environment, "KUPYTERHUB_DOMAIN").lower()),
        listen=listen,
        health_listen=_address(environment, "KUPYTERHUB_HEALTH_LISTEN"),
        admins_file=Path(_required(environment, "KUPYTERHUB_ADMINS_FILE")),
        agent_issuers_file=Path(_required(environment, "KUPYTERHUB_AGENT_ISSUERS")),
        topic=_required(environment, "KUPYTERHUB_TOPIC"),
        session_key=_session_key(environment),
        tls=tls,
    )


def _required(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise SettingsError(f"{variable} is not set")
    return value


def _address(environment: Mapping[str, str], variable: str) -> Address:
    text = _required(environment, variable)
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"{variable} is {text!r}; it should be host:port, as 127.0.0.1:8000")
    return Address(host.strip("[]"), int(port))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may resolve to anything


def _tls(environment: Mapping[str, str]) -> TlsFiles | None:
    certificate = environment.get("KUPYTERHUB_TLS_CERT_FILE", "")
    key = environment.get("KUPYTERHUB_TLS_KEY_FILE", "")
    if bool(certificate) != bool(key):
        raise SettingsError("KUPYTERHUB_TLS_CERT_FILE and KUPYTERHUB_TLS_KEY_FILE are given together or not")
    return TlsFiles(Path(certificate), Path(key)) if certificate else None


def _session_key(environment: Mapping[str, str]) -> bytes:
    path = environment.get("KUPYTERHUB_SESSION_KEY_FILE", "")
    if not path:
        return secrets.token_bytes(KEY_BYTES)  # everybody signs in anew after a restart
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"KUPYTERHUB_SESSION_KEY_FILE {path}: {error.strerror}") from error
    if len(key) < KEY_BYTES:
        raise SettingsError(f"KUPYTERHUB_SESSION_KEY_FILE {path} holds less than {KEY_BYTES} bytes")
    return key
