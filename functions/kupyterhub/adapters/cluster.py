"""The Kubernetes API server: the only module that imports its client.

Requests go through the client's generic path (`param_serialize`, then `call_api`), with plain dicts: the typed
models cost CPU and know less about server-side apply.
"""

import json
from http import HTTPStatus
from typing import Any

import urllib3
from kubernetes import client, config

from kupyterhub.domain.errors import ObjectChanged, TransientError
from kupyterhub.domain.labels import MANAGED, MANAGER
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import jupyterlab, shared_agent, storage
from kupyterhub.ports import Applied

_TIMEOUT = (5.0, 30.0)
_PAGE = 500
_PATHS = {
    "Deployment": ("apps/v1", "deployments"),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims"),
    "Pod": ("v1", "pods"),
    "Secret": ("v1", "secrets"),
    "Service": ("v1", "services"),
    "ServiceAccount": ("v1", "serviceaccounts"),
}
_TERMINATING = "object is being deleted"
"""How the answer begins where the object that exists is being deleted (apiserver, generic/registry/store.go)."""
_NOT_RESIZABLE = "must support resize"
"""Part of the answer where a StorageClass makes nothing bigger (plugin/pkg/admission/…/resize/admission.go)."""
_USER_KINDS = ("Deployment", "Service", "Secret", "ServiceAccount")


def of_kubeconfig() -> client.Configuration:
    """The way to the cluster that KUBECONFIG names, as on one machine."""
    configuration = client.Configuration()
    config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    return configuration


def connect(configuration: client.Configuration) -> client.ApiClient:
    """A client that asks once: a function that fails is delivered again, and must not outlive its time before."""
    configuration.retries = urllib3.Retry(connect=1, read=0, redirect=0, status=0)
    return client.ApiClient(configuration)


class Cluster:
    """`ports.Cluster` in one namespace of one cluster."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def read_notebook(self, name: str) -> Object | None:
        """Read the Deployment `jupyterlab-<name>`."""
        return self._read("Deployment", f"{jupyterlab.PREFIX}-{name}")

    def read_shared_agent(self) -> Object | None:
        """Read the Deployment `agent`."""
        return self._read("Deployment", shared_agent.NAME)

    def apply(self, manifest: Object) -> Applied:
        """Server-side apply, forced: what this controller states is nobody else's to change."""
        status, body = self._request(
            "PATCH",
            self._path(manifest["kind"], manifest["metadata"]["name"]),
            query=[("fieldManager", MANAGER), ("force", "true")],
            content_type="application/apply-patch+yaml",
            # JSON is YAML, and this content type is sent as it is given.
            body=json.dumps(manifest),
        )
        return Applied(body, created=status == HTTPStatus.CREATED)

    def create(self, manifest: Object) -> Applied | None:
        """Create, and leave what exists alone."""
        status, body = self._request(
            "POST", self._path(manifest["kind"]), query=[("fieldManager", MANAGER)], body=manifest
        )
        if status == HTTPStatus.CONFLICT and str(body.get("message", "")).startswith(_TERMINATING):
            raise TransientError(f"{manifest['kind']} {manifest['metadata']['name']} is still being deleted")
        return None if status == HTTPStatus.CONFLICT else Applied(body, created=True)

    def user_objects(self, selector: str) -> list[Object]:
        """List each kind by label."""
        return [obj for kind in _USER_KINDS for obj in self._list(kind, selector)]

    def deployments(self) -> list[Object]:
        """List all Deployments of users, and the shared agent's."""
        return self._list("Deployment", MANAGED)

    def pods(self, selector: str) -> list[Object]:
        """List pods by label."""
        return self._list("Pod", selector)

    def delete(self, live: Object) -> None:
        """Delete with the uid and resourceVersion that were listed, so that another look's work is not undone."""
        meta = live["metadata"]
        preconditions = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        status, _ = self._delete(live["kind"], meta["name"], {"preconditions": preconditions})
        if status == HTTPStatus.CONFLICT:
            raise ObjectChanged(f"{live['kind']} {meta['name']} is not what was listed")

    def read_claim(self, name: str) -> Object | None:
        """Read the PersistentVolumeClaim `home-<name>`."""
        return self._read("PersistentVolumeClaim", f"{storage.PREFIX}-{name}")

    def resize_claim(self, name: str, size: str) -> None:
        """Ask for more storage; a claim that is not bound yet, or that may not grow, stays as it is."""
        status, body = self._request(
            "PATCH",
            self._path("PersistentVolumeClaim", f"{storage.PREFIX}-{name}"),
            content_type="application/merge-patch+json",
            body={"spec": {"resources": {"requests": {"storage": size}}}},
            refusals=(HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
        )
        if status == HTTPStatus.FORBIDDEN and _NOT_RESIZABLE not in body.get("message", ""):
            raise TransientError(f"Kubernetes does not let the functions change PersistentVolumeClaim of {name}")

    def delete_claim(self, name: str) -> bool:
        """Delete the claim; it stays for as long as Kubernetes protects it from deletion."""
        claim = f"{storage.PREFIX}-{name}"
        status, body = self._delete("PersistentVolumeClaim", claim, {})
        return status == HTTPStatus.NOT_FOUND or not body.get("metadata", {}).get("finalizers")

    def _read(self, kind: str, name: str) -> Object | None:
        status, body = self._request("GET", self._path(kind, name))
        return None if status == HTTPStatus.NOT_FOUND else body

    def _delete(self, kind: str, name: str, options: dict[str, Any]) -> tuple[int, Any]:
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background", **options}
        return self._request("DELETE", self._path(kind, name), body=body)

    def _list(self, kind: str, selector: str) -> list[Object]:
        api_version, _ = _PATHS[kind]
        items: list[Object] = []
        following = ""
        while True:
            query = [("labelSelector", selector), ("limit", str(_PAGE)), ("continue", following)]
            status, body = self._request("GET", self._path(kind), query=[pair for pair in query if pair[1]])
            if status != HTTPStatus.OK:
                raise TransientError(f"Kubernetes did not list {kind}: {status}")
            # The items of a list do not say what they are.
            items += [{"apiVersion": api_version, "kind": kind, **item} for item in body["items"]]
            following = body["metadata"].get("continue", "")
            if not following:
                return items

    def _path(self, kind: str, name: str | None = None) -> str:
        api_version, plural = _PATHS[kind]
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        path = f"{root}/namespaces/{self._namespace}/{plural}"
        return path if name is None else f"{path}/{name}"

    def _request(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        content_type: str = "application/json",
        body: Any = None,
        refusals: tuple[HTTPStatus, ...] = (),
    ) -> tuple[int, Any]:
        """Answer with status and body of 2xx, 404, 409 and `refusals`; raises TransientError for the rest."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            request = self._api.param_serialize(
                method,
                path,
                query_params=query or [],
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            response = self._api.call_api(*request, _request_timeout=_TIMEOUT)
            text = response.read()  # type: ignore[no-untyped-call]
        except (client.ApiException, urllib3.exceptions.HTTPError) as e:
            raise TransientError(f"Kubernetes is away: {method} {path}: {type(e).__name__}") from e
        answer = json.loads(text) if text else {}
        if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT) and method != "PATCH":
            return response.status, answer
        if response.status in refusals:
            return response.status, answer
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            # The reason is one word of Kubernetes'; its message could quote an object.
            raise TransientError(f"Kubernetes answered {response.status} {answer.get('reason', '')}: {method} {path}")
        return response.status, answer
