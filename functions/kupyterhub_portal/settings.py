"""What the portal is told: kupyterhub.yaml, and its environment. Read once, at the first request."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kupyterhub import settings as files
from kupyterhub.domain.errors import SettingsError
from kupyterhub.domain.settings import Settings

# https://cloud.google.com/iap/docs/signed-headers-howto
_IAP_KEYS_URL = "https://www.gstatic.com/iap/verify/public_key-jwk"
_KEY_BYTES = 32
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Iap:
    """Identity-Aware Proxy stands before the portal, which is a backend of its own with an audience of its own."""

    audience: str
    keys_url: str = _IAP_KEYS_URL
    """Other keys are for tests: no variable sets this."""


@dataclass(frozen=True, slots=True)
class SignInHost:
    """Our own server finds out who somebody is, and vouches for them here."""

    origin: str
    """Of its sign-in host."""

    @property
    def keys_url(self) -> str:
        """What verifies its assertions."""
        return f"{self.origin}/.well-known/jwks.json"


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """Everything."""

    origin: str
    """Where people find the portal, such as https://portal.example.com; nothing comes from elsewhere."""
    identity: Iap | SignInHost
    key: bytes = field(repr=False)
    """What sessions and forms are signed with; all instances have the same."""
    of_users: Settings


def read(environment: Mapping[str, str]) -> PortalSettings:
    """Read the environment and the files that it names; raises SettingsError."""
    of_users = files.load(Path(_required(environment, "KUPYTERHUB_SETTINGS")))
    return PortalSettings(
        origin=_origin(_required(environment, "KUPYTERHUB_PORTAL_URL")),
        identity=_identity(environment, of_users),
        key=_key(environment),
        of_users=of_users,
    )


def _is_loopback(host: str) -> bool:
    """Whether that name or address is this machine's alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as e:
        raise SettingsError(f"KUPYTERHUB_PORTAL_URL is {url!r}: {e}") from e
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None or not host:
        raise SettingsError(f"KUPYTERHUB_PORTAL_URL is {url!r}; it should be scheme and host, with no path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise SettingsError(f"KUPYTERHUB_PORTAL_URL is {url!r}; it should be an https URL")
    # As browsers name it: without the port that goes without saying.
    shown = parts.netloc.lower().removesuffix(f":{port}" if port == _PORTS.get(parts.scheme) else "")
    return f"{parts.scheme}://{shown.removesuffix(':')}"


def _identity(environment: Mapping[str, str], of_users: Settings) -> Iap | SignInHost:
    if of_users.proxy == "hosted" or of_users.identity.mode == "iap":
        return Iap(_required(environment, "KUPYTERHUB_IAP_AUDIENCE"))
    return SignInHost(f"{of_users.scheme}://login.{of_users.domain}")


def _key(environment: Mapping[str, str]) -> bytes:
    path = _required(environment, "KUPYTERHUB_SESSION_KEY_FILE")
    try:
        key = Path(path).read_bytes().strip()
    except OSError as e:
        raise SettingsError(f"KUPYTERHUB_SESSION_KEY_FILE {path}: {e.strerror}") from e
    if len(key) < _KEY_BYTES:
        raise SettingsError(f"the file of KUPYTERHUB_SESSION_KEY_FILE holds less than {_KEY_BYTES} bytes")
    return key


def _required(environment: Mapping[str, str], variable: str) -> str:
    if value := environment.get(variable, "").strip():
        return value
    raise SettingsError(f"the environment variable {variable} is not set")
