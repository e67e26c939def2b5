"""The pod of an agent, of one person's and of the shared one alike."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kupyterhub.domain.installation import Installation
from kupyterhub.domain.manifests.pieces import field, http_get, restricted_container, restricted_pod
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.urls import agents_audience, agents_url

COMPONENT = "agent"
HEALTH_PORT = 8081
POOL = "kupyterhub.dev/agents"
"""Label and taint (`=true:NoSchedule`) of the node pool whose pods reach the VM's metadata server.

In hosted mode agents need its identity token; elsewhere on GKE pods are given none. Nobody else is let in there.
"""
PRIORITY = "kupyterhub-serving"
"""The PriorityClass of infra/cluster."""
_PROXY_TOKEN_FOLDER = "/var/run/kupyterhub/proxy"  # noqa: S105 - a folder's name


class Folder(NamedTuple):
    """Files that the container reads: the volume's name and source, and where it is mounted."""

    name: str
    path: str
    source: dict[str, Any]


class Share(NamedTuple):
    """What a container asks for, and what it may use."""

    requests: dict[str, str]
    limits: dict[str, str]


_LOGS = {"ephemeral-storage": "100Mi"}
"""All that an agent writes: a kubelet keeps five files of 10 MiB."""


def pod(
    account: str, settings: Settings, environment: Mapping[str, str], folders: Iterable[Folder], share: Share
) -> dict[str, Any]:
    """`spec` of the pod; the environment's names get their prefix here."""
    mounted = [*folders, *_proxy_token(settings)]
    return {
        **(_pool() if settings.proxy == "hosted" else {}),
        "serviceAccountName": account,
        "priorityClassName": PRIORITY,
        **restricted_pod(),
        "containers": [
            {
                "name": COMPONENT,
                "image": settings.images.agent,
                "command": ["python3", "-m", "kupyterhub_agent"],
                "env": [
                    {"name": "POD_IP", **field("status.podIP")},
                    {"name": "POD_UID", **field("metadata.uid")},
                    *({"name": f"KUPYTERHUB_{key}", "value": value} for key, value in environment.items()),
                ],
                "ports": [{"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"}],
                "resources": {part: {**amounts, **_LOGS} for part, amounts in share._asdict().items()},
                "livenessProbe": {**http_get("/healthz", HEALTH_PORT), "periodSeconds": 10},
                "readinessProbe": {**http_get("/readyz", HEALTH_PORT), "periodSeconds": 5},
                "volumeMounts": [{"name": each.name, "readOnly": True, "mountPath": each.path} for each in mounted],
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "securityContext": {**restricted_container(), "readOnlyRootFilesystem": True},  # it writes nothing
            }
        ],
        "volumes": [{"name": each.name, **each.source} for each in mounted],
    }


def of_proxy(installation: Installation) -> dict[str, str]:
    """The part of the environment that says what the agent dials, and how it says who it is."""
    settings = installation.settings
    if settings.proxy == "hosted":
        return {"PROXY": settings.proxy, "TOPIC": installation.topic}
    return {
        "PROXY": settings.proxy,
        "PROXY_URL": agents_url(settings),
        **({"PROXY_SERVICE": settings.proxy_service} if settings.proxy_service else {}),
        "PROXY_TOKEN_FILE": f"{_PROXY_TOKEN_FOLDER}/token",
    }


def _proxy_token(settings: Settings) -> list[Folder]:
    if settings.proxy == "hosted":  # Google asks for the VM's identity instead
        return []
    token = {"audience": agents_audience(settings), "expirationSeconds": 3600, "path": "token"}
    source = {"projected": {"sources": [{"serviceAccountToken": token}]}}
    return [Folder("proxy-token", _PROXY_TOKEN_FOLDER, source)]


def _pool() -> dict[str, Any]:
    return {
        "nodeSelector": {POOL: "true"},
        "tolerations": [{"key": POOL, "operator": "Equal", "value": "true", "effect": "NoSchedule"}],
    }
