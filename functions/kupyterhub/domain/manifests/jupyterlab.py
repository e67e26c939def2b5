"""A user's JupyterLab: Deployment, Service, the Secret with its token, and its ServiceAccount."""

import hashlib
from base64 import b64encode
from typing import Any

from kupyterhub.domain.labels import (
    EGRESS,
    RESTARTED_AT,
    TEMPLATE,
    TOKEN,
    metadata,
    pod_labels,
    selector,
)
from kupyterhub.domain.lifetimes import Lifetime
from kupyterhub.domain.manifests.files import HOME, files
from kupyterhub.domain.manifests.machine import machine, resources
from kupyterhub.domain.manifests.pieces import (
    field,
    http_get,
    restricted_container,
    restricted_pod,
    service_account,
    template_hash,
)
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.settings import INTERNET
from kupyterhub.domain.users import UserDocument

COMPONENT = "jupyterlab"
PREFIX = "jupyterlab"
PORT = 8888
SHARED_ACCOUNT = "notebook"
"""The ServiceAccount, without rights, of notebooks that need none of their own (infra/cluster/rbac.yaml)."""


def account(user: UserDocument, wanted: Wanted) -> dict[str, Any]:
    """ServiceAccount `notebook-<name>`: rights on the person's folder in the bucket, and no others."""
    return service_account(metadata("notebook", COMPONENT, user, wanted.email, wanted.name))


def secret(user: UserDocument, wanted: Wanted, token: str) -> dict[str, Any]:
    """Secret `jupyterlab-<name>`: the token that JupyterLab asks for and the agent adds."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name),
        "type": "Opaque",
        "data": {"token": b64encode(token.encode()).decode()},
    }


def service(user: UserDocument, wanted: Wanted, lifetime: Lifetime) -> dict[str, Any]:
    """Service `jupyterlab-<name>`: the agent's way to the notebook; by it a shared agent knows whom it serves."""
    meta = metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name)
    meta["annotations"] |= lifetime.for_agent
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "type": "ClusterIP",
            "selector": selector(COMPONENT, wanted.name),
            "ports": [{"name": "http", "port": PORT, "targetPort": PORT, "protocol": "TCP"}],
        },
    }


def deployment(
    user: UserDocument, wanted: Wanted, token: str, restarted_at: str | None, bucket: str | None
) -> dict[str, Any]:
    """Deployment `jupyterlab-<name>`, which carries the hash of its template beside it."""
    template = _template(wanted, token, bucket)
    meta = metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name)
    meta["annotations"] |= {TEMPLATE: template_hash(template)}
    if restarted_at:
        template["metadata"]["annotations"] |= {RESTARTED_AT: restarted_at}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector(COMPONENT, wanted.name)},
            # Two JupyterLabs on one disk would overwrite each other's files.
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 1,
            "template": template,
        },
    }


def _template(wanted: Wanted, token: str, bucket: str | None) -> dict[str, Any]:
    found = files(wanted, bucket)
    egress = wanted.profile.egress
    return {
        "metadata": {
            "labels": {
                **pod_labels(COMPONENT, wanted.name),
                **found.labels,
                **({} if egress == INTERNET else {EGRESS: egress}),
            },
            # A changed token is a changed template: it waits for the next start, as the Secret does.
            "annotations": {
                TOKEN: hashlib.sha256(token.encode()).hexdigest()[:16],
                **Lifetime.of_profile(wanted.profile).annotations,
                **found.annotations,
            },
        },
        "spec": {
            **machine(wanted.profile),
            "serviceAccountName": _account(wanted),
            **restricted_pod(),
            "containers": [
                {
                    "name": COMPONENT,
                    "image": wanted.image,
                    "command": ["jupyter", "lab"],
                    "args": _ARGS,
                    "env": [
                        {"name": "POD_IP", **field("status.podIP")},
                        {"name": "HOME", "value": HOME},
                        # Sockets and pid files are of this pod, not of the user's files.
                        {"name": "JUPYTER_RUNTIME_DIR", "value": "/tmp/jupyter"},  # noqa: S108 - the pod's own
                        {
                            "name": "JUPYTER_TOKEN",
                            "valueFrom": {"secretKeyRef": {"name": f"{PREFIX}-{wanted.name}", "key": "token"}},
                        },
                    ],
                    "workingDir": HOME,
                    "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
                    "resources": {"requests": resources(wanted.profile), "limits": resources(wanted.profile)},
                    # No liveness probe: a kernel that keeps the server busy is no reason to end it.
                    "readinessProbe": {**http_get("/api", PORT), "periodSeconds": 2, "timeoutSeconds": 2},
                    "volumeMounts": [
                        *found.mounts,
                        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
                    ],
                    # What ended it is then known without its log: the last lines.
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "securityContext": restricted_container(),
                }
            ],
            "volumes": [
                *found.volumes,
                # Limits on a node's disk are a pod's, in all: else it could fill what its sidecar has, too.
                {"name": "tmp", "emptyDir": {"sizeLimit": wanted.profile.ephemeral_storage}},
            ],
        },
    }


def _account(wanted: Wanted) -> str:
    return f"notebook-{wanted.name}" if wanted.profile.storage.kind == "gcs" else SHARED_ACCOUNT


_ARGS = [
    "--ServerApp.ip=$(POD_IP)",
    f"--ServerApp.port={PORT}",
    "--ServerApp.port_retries=0",
    "--ServerApp.open_browser=False",
    f"--ServerApp.root_dir={HOME}",
    # The Host header is the user's own host name; agent and proxy have checked it.
    "--ServerApp.allow_remote_access=True",
    # Stopping is what `state: stopped` does; a server that quits by itself would be started again.
    "--ServerApp.quit_button=False",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
]
