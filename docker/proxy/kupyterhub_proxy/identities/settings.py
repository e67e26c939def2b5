"""What the server is told of each way to learn who somebody is; `KUPYTERHUB_IDENTITY` chooses one."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kupyterhub_proxy.environment import SettingsError, file_bytes, required

if TYPE_CHECKING:
    from collections.abc import Mapping

# https://cloud.google.com/iap/docs/signed-headers-howto: a JSON object, key id to PEM.
_IAP_KEYS_URL = "https://www.gstatic.com/iap/verify/public_key"


@dataclass(frozen=True, slots=True)
class Local:
    """Everybody says who they are."""


@dataclass(frozen=True, slots=True)
class Iap:
    """Identity-Aware Proxy stands before the server."""

    audience: str
    """`/projects/<number>/global/backendServices/<id>`."""
    keys_url: str = _IAP_KEYS_URL
    """Other keys are for tests: no variable sets this."""


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


def read_identity(environment: Mapping[str, str]) -> Local | Iap | Oidc:
    """Read the chosen way; raises SettingsError."""
    match required(environment, "KUPYTERHUB_IDENTITY"):
        case "local":
            return Local()
        case "iap":
            return Iap(required(environment, "KUPYTERHUB_IAP_AUDIENCE"))
        case "oidc":
            return _oidc(environment)
        case mode:
            raise SettingsError(f"KUPYTERHUB_IDENTITY is {mode!r}; it is local, iap or oidc")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may resolve to anything


def _oidc(environment: Mapping[str, str]) -> Oidc:
    issuer = required(environment, "KUPYTERHUB_OIDC_ISSUER")
    parts = urlsplit(issuer)
    # The provider's keys come from there: whoever could change them on the way could be anybody.
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise SettingsError(f"KUPYTERHUB_OIDC_ISSUER is {issuer!r}; it should be an https URL")
    secret = file_bytes(environment, "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE").decode(errors="replace")
    if not secret:
        raise SettingsError("the file of KUPYTERHUB_OIDC_CLIENT_SECRET_FILE is empty")
    return Oidc(issuer, required(environment, "KUPYTERHUB_OIDC_CLIENT_ID"), secret)
