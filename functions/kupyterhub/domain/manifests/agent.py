"""A user's Inverting Proxy agent: it dials out to the proxy and serves one notebook."""

from typing import Any

from kupyterhub.domain.labels import metadata, pod_labels, selector
from kupyterhub.domain.manifests import jupyterlab
from kupyterhub.domain.manifests.pieces import (
    field,
    http_get,
    restricted_container,
    restricted_pod,
    service_account,
)
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.urls import agents_audience, agents_url
from kupyterhub.domain.users import UserDocument

COMPONENT = "agent"
PREFIX = "agent"
HEALTH_PORT = 8081
_TOKEN_FOLDER = "/var/run/kupyterhub/jupyterlab"  # noqa: S105 - a folder's name
_PROXY_TOKEN_FOLDER = "/var/run/kupyterhub/proxy"  # noqa: S105 - a folder's name


def account(user: UserDocument, wanted: Wanted) -> dict[str, Any]:
    """ServiceAccount `agent-<name>`: by its projected token the proxy knows whom this agent may serve."""
    return service_account(PREFIX, COMPONENT, user, wanted.email, wanted.name)


def deployment(user: UserDocument, wanted: Wanted, settings: Settings) -> dict[str, Any]:
    """Deployment `agent-<name>`; a change takes effect at once, for an agent holds nobody's work."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector(COMPONENT, wanted.name)},
            "revisionHistoryLimit": 1,
            "template": _template(user, wanted, settings),
        },
    }


def _template(user: UserDocument, wanted: Wanted, settings: Settings) -> dict[str, Any]:
    return {
        "metadata": {"labels": pod_labels(COMPONENT, wanted.name)},
        "spec": {
            "serviceAccountName": f"{PREFIX}-{wanted.name}",
            **restricted_pod(),
            "containers": [
                {
                    "name": COMPONENT,
                    "image": settings.images.agent,
                    "command": ["python3", "-m", "kupyterhub_agent"],
                    "env": [
                        {"name": "POD_IP", **field("status.podIP")},
                        {"name": "POD_UID", **field("metadata.uid")},
                        *(
                            {"name": f"KUPYTERHUB_{key}", "value": value}
                            for key, value in _environment(user, wanted, settings).items()
                        ),
                    ],
                    "ports": [{"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"}],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "64Mi"},
                        "limits": {"cpu": "500m", "memory": "256Mi"},
                    },
                    "livenessProbe": {**http_get("/healthz", HEALTH_PORT), "periodSeconds": 10},
                    "readinessProbe": {**http_get("/readyz", HEALTH_PORT), "periodSeconds": 5},
                    "volumeMounts": [
                        {"name": "jupyterlab-token", "readOnly": True, "mountPath": _TOKEN_FOLDER},
                        {"name": "proxy-token", "readOnly": True, "mountPath": _PROXY_TOKEN_FOLDER},
                    ],
                    "securityContext": restricted_container(),
                }
            ],
            "volumes": [
                {
                    "name": "jupyterlab-token",
                    "secret": {
                        "secretName": f"{jupyterlab.PREFIX}-{wanted.name}",
                        "items": [{"key": "token", "path": "token"}],
                    },
                },
                {
                    "name": "proxy-token",
                    "projected": {
                        "sources": [
                            {
                                "serviceAccountToken": {
                                    "audience": agents_audience(settings),
                                    "expirationSeconds": 3600,
                                    "path": "token",
                                }
                            }
                        ]
                    },
                },
            ],
        },
    }


def _environment(user: UserDocument, wanted: Wanted, settings: Settings) -> dict[str, str]:
    return {
        "PROXY": settings.proxy,
        "PROXY_URL": agents_url(settings),
        "NAME": wanted.name,
        # Kubernetes expands $(VAR) in values; ids and e-mails may hold any character.
        "USER": user.id.replace("$", "$$"),
        "EMAIL": wanted.email.replace("$", "$$"),
        "BACKEND": f"http://{jupyterlab.PREFIX}-{wanted.name}:{jupyterlab.PORT}",
        "TOKEN_FILE": f"{_TOKEN_FOLDER}/token",
        "PROXY_TOKEN_FILE": f"{_PROXY_TOKEN_FOLDER}/token",
    }
