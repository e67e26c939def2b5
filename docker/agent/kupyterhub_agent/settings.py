"""The agent's settings: its environment, read once at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGENTS_HOST = "agents."


class SettingsError(Exception):
    """The environment is incomplete or wrong; the text says which variable and what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom the agent serves, and where both sides are."""

    name: str
    user: str
    email: str
    proxy_url: URL
    """Where agents dial: `scheme://agents.<domain>`."""
    origin: str
    """The user's URL without its slash: `scheme://<name>.<domain>`; what Origin must be."""
    backend: URL
    token_file: Path
    """JupyterLab's token."""
    proxy_token_file: Path
    """The projected ServiceAccount token; the kubelet renews it."""
    pod_ip: str
    pod_uid: str


def read(environment: Mapping[str, str]) -> Settings:
    """Read the environment; raises SettingsError."""
    mode = _required(environment, "KUPYTERHUB_PROXY")
    if mode not in {"local", "self-hosted"}:
        raise SettingsError(f"KUPYTERHUB_PROXY is {mode!r}; this agent knows local and self-hosted")
    name = _required(environment, "KUPYTERHUB_NAME")
    proxy_url = _url(environment, "KUPYTERHUB_PROXY_URL")
    if not proxy_url.authority.startswith(_AGENTS_HOST):
        raise SettingsError(f"KUPYTERHUB_PROXY_URL is {proxy_url}; its host should be agents.<domain>")
    # Browsers leave out a scheme's own port, so the origin does too.
    domain = str(proxy_url.host_port_subcomponent).removeprefix(_AGENTS_HOST)
    return Settings(
        name=name,
        user=_required(environment, "KUPYTERHUB_USER"),
        email=_required(environment, "KUPYTERHUB_EMAIL"),
        proxy_url=proxy_url,
        origin=f"{proxy_url.scheme}://{name}.{domain}",
        backend=_url(environment, "KUPYTERHUB_BACKEND"),
        token_file=Path(_required(environment, "KUPYTERHUB_TOKEN_FILE")),
        proxy_token_file=Path(_required(environment, "KUPYTERHUB_PROXY_TOKEN_FILE")),
        pod_ip=_required(environment, "POD_IP"),
        pod_uid=_required(environment, "POD_UID"),
    )


def _required(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise SettingsError(f"{variable} is not set; the agent's Deployment gives it")
    return value


def _url(environment: Mapping[str, str], variable: str) -> URL:
    text = _required(environment, variable)
    try:
        url = URL(text)
    except ValueError as error:
        raise SettingsError(f"{variable} is {text!r}, which is no URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError(f"{variable} is {text!r}; it should look like http://host:port")
    return url.origin()
