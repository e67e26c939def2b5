"""The agent's settings: its environment, read once at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yarl import URL

from kupyterhub_agent.activity import ActivityRules
from kupyterhub_agent.person import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGENTS_HOST = "agents."


class SettingsError(Exception):
    """The environment is incomplete or wrong; the text says which variable and what it should be."""


@dataclass(frozen=True, slots=True)
class Everybody:
    """The shared agent serves all people of its namespace; the API server says who they are."""

    namespace: str
    api: URL
    """Where the API server is."""


@dataclass(frozen=True, slots=True)
class Server:
    """Our own proxy server."""

    url: URL
    """Where agents dial: `scheme://agents.<domain>`."""
    service: URL | None
    """In the server's own cluster: scheme, host and port of the headless Service that resolves to its replicas."""
    token_file: Path
    """The projected ServiceAccount token; the kubelet renews it."""

    def origin(self, name: str) -> str:
        """Give a person's URL without its slash, `scheme://<name>.<domain>`: what Origin must be."""
        # Browsers leave out a scheme's own port, so the origin does too.
        domain = str(self.url.host_port_subcomponent).removeprefix(_AGENTS_HOST)
        return f"{self.url.scheme}://{name}.{domain}"


@dataclass(frozen=True, slots=True)
class Hosted:
    """Google's hosted service. The agent itself publishes what it has to say."""

    topic: str
    """`projects/<p>/topics/<t>`"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom the agent serves, how they are reached, and the pod that it is."""

    serves: Person | Everybody
    proxy: Server | Hosted
    pod_ip: str
    pod_uid: str


def read(environment: Mapping[str, str]) -> Settings:
    """Read the environment; raises SettingsError."""
    return Settings(
        proxy=_proxy(environment),
        serves=_serves(environment),
        pod_ip=_required(environment, "POD_IP"),
        pod_uid=_required(environment, "POD_UID"),
    )


def _serves(environment: Mapping[str, str]) -> Person | Everybody:
    match environment.get("KUPYTERHUB_AGENT", "per-user"):
        case "shared":
            return Everybody(_required(environment, "KUPYTERHUB_NAMESPACE"), _api(environment))
        case "per-user":
            return _person(environment)
        case other:
            raise SettingsError(f"KUPYTERHUB_AGENT is {other!r}; it should be per-user or shared")


def _api(environment: Mapping[str, str]) -> URL:
    host, port = (_required(environment, f"KUBERNETES_SERVICE_{part}") for part in ("HOST", "PORT"))
    host = f"[{host}]" if ":" in host else host
    return _url({"KUBERNETES_SERVICE_HOST": f"https://{host}:{port}"}, "KUBERNETES_SERVICE_HOST")


def _person(environment: Mapping[str, str]) -> Person:
    token_file = Path(_required(environment, "KUPYTERHUB_TOKEN_FILE"))
    try:
        activity = ActivityRules.parse(
            environment.get("KUPYTERHUB_IDLE_TIMEOUT"), environment.get("KUPYTERHUB_ACTIVITY")
        )
    except ValueError as error:
        raise SettingsError(f"KUPYTERHUB_IDLE_TIMEOUT or KUPYTERHUB_ACTIVITY: {error}") from error
    return Person(
        name=_required(environment, "KUPYTERHUB_NAME"),
        user=_required(environment, "KUPYTERHUB_USER"),
        email=_required(environment, "KUPYTERHUB_EMAIL"),
        backend=_url(environment, "KUPYTERHUB_BACKEND"),
        token=lambda: token_file.read_text().strip(),
        activity=activity,
    )


def _proxy(environment: Mapping[str, str]) -> Server | Hosted:
    match _required(environment, "KUPYTERHUB_PROXY"):
        case "hosted":
            return Hosted(_required(environment, "KUPYTERHUB_TOPIC"))
        case "local" | "self-hosted":
            return _server(environment)
        case other:
            raise SettingsError(f"KUPYTERHUB_PROXY is {other!r}; it should be local, self-hosted or hosted")


def _server(environment: Mapping[str, str]) -> Server:
    url = _url(environment, "KUPYTERHUB_PROXY_URL")
    if not url.authority.startswith(_AGENTS_HOST):
        raise SettingsError(f"KUPYTERHUB_PROXY_URL is {url}; its host should be agents.<domain>")
    service = environment.get("KUPYTERHUB_PROXY_SERVICE", "").strip()
    if service and "://" not in service:
        service = f"{url.scheme}://{service}"
    return Server(
        url=url,
        service=_url({"KUPYTERHUB_PROXY_SERVICE": service}, "KUPYTERHUB_PROXY_SERVICE") if service else None,
        token_file=Path(_required(environment, "KUPYTERHUB_PROXY_TOKEN_FILE")),
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
