"""Parts that several manifests share."""

import hashlib
import json
from typing import Any

from kupyterhub.domain.labels import RESTARTED_AT

UID = 1000
"""The user of our images; the `restricted` Pod Security Standard wants any but root."""


def restricted_pod() -> dict[str, Any]:
    """`spec` fields that every pod has.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    return {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsUser": UID,
            "runAsGroup": UID,
            "runAsNonRoot": True,
            "fsGroup": UID,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def restricted_container() -> dict[str, Any]:
    """`securityContext` of every container."""
    return {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}


def field(path: str) -> dict[str, Any]:
    """An environment variable's value taken from the pod itself."""
    return {"valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def http_get(path: str, port: int) -> dict[str, Any]:
    """A probe's handler."""
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}}


def service_account(metadata: dict[str, Any]) -> dict[str, Any]:
    """A ServiceAccount that is given no API token by itself: a pod that needs one mounts it."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata,
        "automountServiceAccountToken": False,
    }


def template_hash(template: dict[str, Any]) -> str:
    """Hash of a pod template without its restart mark: equal hashes need no restart."""
    annotations = {k: v for k, v in template["metadata"].get("annotations", {}).items() if k != RESTARTED_AT}
    bare = {**template, "metadata": {**template["metadata"], "annotations": annotations}}
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()[:16]
