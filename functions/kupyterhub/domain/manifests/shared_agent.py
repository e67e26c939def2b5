"""The shared agent: one Deployment for everybody, which learns from the API server whom it serves."""

from typing import Any

from kupyterhub.domain.installation import Installation
from kupyterhub.domain.labels import SHARED, pod_labels, selector
from kupyterhub.domain.manifests.agent_pod import COMPONENT, Folder, Share, of_proxy, pod
from kupyterhub.domain.manifests.pieces import service_account

NAME = "agent"
"""Of Deployment and ServiceAccount; infra/cluster/rbac.yaml gives the account its rights."""
REPLICAS = 2
"""Killing one loses no more than its requests in flight. In hosted mode one is active and the other waits."""
_API_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where clients of the API server look for token, CA and namespace."""
_SHARE = Share(requests={"cpu": "100m", "memory": "256Mi"}, limits={"cpu": "2", "memory": "2Gi"})


def account() -> dict[str, Any]:
    """ServiceAccount `agent`: the proxy lets it serve everybody of its cluster."""
    return service_account(_metadata())


def deployment(installation: Installation) -> dict[str, Any]:
    """Deployment `agent`."""
    settings = installation.settings
    environment = {**of_proxy(installation), "AGENT": settings.agent, "NAMESPACE": settings.namespace}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(),
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": selector(COMPONENT, SHARED)},
            # Everybody is served by the old ones until the new ones are ready.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "revisionHistoryLimit": 1,
            "template": {
                "metadata": {"labels": pod_labels(COMPONENT, SHARED)},
                "spec": {
                    "topologySpreadConstraints": [
                        {
                            "topologyKey": "kubernetes.io/hostname",
                            "maxSkew": 1,
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": {"matchLabels": selector(COMPONENT, SHARED)},
                        }
                    ],
                    **pod(NAME, settings, environment, [_api_access()], _SHARE),
                },
            },
        },
    }


def _metadata() -> dict[str, Any]:
    return {"name": NAME, "labels": pod_labels(COMPONENT, SHARED)}


def _api_access() -> Folder:
    """What Kubernetes would mount by itself, had this pod not said, as all do, that it must not."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3600, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return Folder("api-access", _API_FOLDER, {"projected": {"sources": sources}})
