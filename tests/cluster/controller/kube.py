"""Kubernetes as its administrator sees it, and the kubelet's part, for there is no node."""

from http import HTTPStatus
from typing import Any

import requests

from kupyterhub_local.control_plane.pki import Pki

Object = dict[str, Any]
NAMESPACE = "kupyterhub"
KINDS = {
    "Deployment": "apis/apps/v1",
    "Service": "api/v1",
    "Secret": "api/v1",
    "ServiceAccount": "api/v1",
    "NetworkPolicy": "apis/networking.k8s.io/v1",
    "PersistentVolumeClaim": "api/v1",
}


def plural(kind: str) -> str:
    """What a kind is called in paths."""
    return f"{kind.lower()}s".replace("ys", "ies")


class Kube:
    """The API server at `server`."""

    def __init__(self, server: str, pki: Pki) -> None:
        admin = pki.pair("admin")
        self._server = server
        self._session = requests.Session()
        # Neither a proxy nor other authorities that the environment names.
        self._session.trust_env = False
        self._session.cert = (str(admin.certificate), str(admin.key))
        self._session.verify = str(pki.ca)

    def close(self) -> None:
        self._session.close()

    def is_ready(self) -> bool:
        """Whether it serves, and knows everybody's rights."""
        try:
            return self._session.get(f"{self._server}/readyz").ok
        except requests.ConnectionError:
            return False

    def items(self, version: str, plural: str, namespace: str = NAMESPACE, **query: str) -> list[Object]:
        answer = self._session.get(f"{self._server}/{version}/namespaces/{namespace}/{plural}", params=query)
        answer.raise_for_status()
        return list(answer.json()["items"])

    def objects(self, name: str, namespace: str = NAMESPACE) -> dict[str, Object]:
        """All objects of the user of this base name, each by `Kind name`."""
        selector = f"app.kubernetes.io/managed-by=kupyterhub,app.kubernetes.io/instance={name}"
        return {
            f"{kind} {item['metadata']['name']}": item
            for kind, version in KINDS.items()
            for item in self.items(version, plural(kind), namespace, labelSelector=selector)
        }

    def all_objects(self, namespace: str = NAMESPACE) -> dict[str, str]:
        """The uid of every object that the controller made."""
        return {
            f"{kind} {item['metadata']['name']}": item["metadata"]["uid"]
            for kind, version in KINDS.items()
            for item in self.items(
                version, plural(kind), namespace, labelSelector="app.kubernetes.io/managed-by=kupyterhub"
            )
        }

    def deployment(self, name: str, namespace: str = NAMESPACE) -> Object | None:
        """The Deployment `jupyterlab-<name>`."""
        return self.objects(name, namespace).get(f"Deployment jupyterlab-{name}")

    def pods(self, name: str, namespace: str = NAMESPACE) -> list[Object]:
        return self.items("api/v1", "pods", namespace, labelSelector=f"app.kubernetes.io/instance={name}")

    def apply(self, path: str, manifest: Object) -> None:
        query = {"fieldManager": "tests", "force": "true"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        self._session.patch(f"{self._server}/{path}", params=query, headers=headers, json=manifest).raise_for_status()

    def patch(self, path: str, body: Object) -> None:
        """Change an object as a person does with kubectl."""
        headers = {"Content-Type": "application/merge-patch+json"}
        query = {"fieldManager": "kubectl-edit"}
        self._session.patch(f"{self._server}/{path}", params=query, headers=headers, json=body).raise_for_status()

    def get(self, path: str) -> Object | None:
        answer = self._session.get(f"{self._server}/{path}")
        return None if answer.status_code == HTTPStatus.NOT_FOUND else dict(answer.json())

    def dry_run(self, version: str, plural: str, manifest: Object, namespace: str = NAMESPACE) -> str | None:
        """Why the API server would not take a new object; None where it would."""
        url = f"{self._server}/{version}/namespaces/{namespace}/{plural}"
        answer = self._session.post(url, params={"dryRun": "All", "fieldValidation": "Strict"}, json=manifest)
        return None if answer.ok else str(answer.json()["message"])

    def delete(self, path: str) -> None:
        self._session.delete(f"{self._server}/{path}").raise_for_status()

    def run_pods(self, name: str, namespace: str = NAMESPACE, deployments: int = 2) -> bool:
        """Say of the user's pods that they are ready; True once all Deployments say that they are available."""
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        for pod in self.pods(name, namespace):
            self._session.patch(
                f"{self._server}/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/status",
                headers={"Content-Type": "application/strategic-merge-patch+json"},
                json={"status": status},
            )
        found = [obj for key, obj in self.objects(name, namespace).items() if key.startswith("Deployment")]
        return len(found) == deployments and all(map(is_available, found))


def is_available(deployment: Object) -> bool:
    """Whether the Deployment's controller has seen its newest version and calls it available."""
    status = deployment.get("status", {})
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    conditions = status.get("conditions", [])
    return seen and {"Available": "True"}.items() <= {c["type"]: c["status"] for c in conditions}.items()


def versions(objects: dict[str, Object]) -> dict[str, str]:
    """The resourceVersion of each object."""
    return {key: obj["metadata"]["resourceVersion"] for key, obj in objects.items()}


def uids(objects: dict[str, Object]) -> dict[str, str]:
    return {key: obj["metadata"]["uid"] for key, obj in objects.items()}
