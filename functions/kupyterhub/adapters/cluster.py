"""The Kubernetes API server: the only module that imports its client.

Requests go through the client's generic path (`param_serialize`, then `call_api`), with plain dicts: the typed
models cost CPU and know less about server-side apply.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import reduce
from http import HTTPStatus
from typing import Any, Self

import urllib3
from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry, if_exception_type
from kubernetes import client, config

from kupyterhub.domain import labels
from kupyterhub.domain import live as facts
from kupyterhub.domain.desired import KEYS, KINDS, NOTEBOOK
from kupyterhub.domain.differs import Listed
from kupyterhub.domain.drift import merged, owned
from kupyterhub.domain.errors import BeingDeleted, ClusterRefused, ObjectChanged, TransientError
from kupyterhub.domain.labels import MANAGED, MANAGER
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import agent, jupyterlab, shared_agent, storage
from kupyterhub.domain.refusals import refusal
from kupyterhub.reporting.under_way import count

_JSON = "application/json"
_AS = "application/json;as={};v=v1;g=meta.k8s.io"
_METADATA, _METADATA_LIST, _TABLE = map(_AS.format, ("PartialObjectMetadata", "PartialObjectMetadataList", "Table"))
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources"""
_CHANGED = (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)
_REFUSED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_PASSING = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_UNREADABLE = ("failed to create typed patch object", "failed to convert new object")
"""https://github.com/kubernetes/apimachinery/blob/master/pkg/util/managedfields/internal/structuredmerge.go"""
_TIMEOUT = (5.0, 30.0)
_PAGE = 500
_PATHS = {
    "Deployment": ("apps/v1", "deployments"),
    "Event": ("v1", "events"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
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


def of_kubeconfig() -> client.Configuration:
    """The way to the cluster that KUBECONFIG names, as on one machine."""
    configuration = client.Configuration()
    config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    return configuration


def connect(configuration: client.Configuration) -> client.ApiClient:
    """A client that asks four times within seconds: a function that fails is delivered again, with longer pauses.

    Each request may be sent twice: what is written is conditional on what was read, or created only once.
    """
    configuration.retries = _Retry(
        total=3,
        redirect=0,
        allowed_methods=None,
        status_forcelist=_PASSING,
        raise_on_status=False,
        backoff_factor=0.1,
        backoff_jitter=0.2,
        backoff_max=1,
        retry_after_max=2,
    )
    return client.ApiClient(configuration)


class _QuotaChanged(TransientError):
    """Another new object was counted at the same time: https://github.com/kubernetes/kubernetes/issues/67761."""


_AGAIN = Retry(predicate=if_exception_type(_QuotaChanged), initial=0.1, maximum=1.0, timeout=10.0)


class _Retry(urllib3.Retry):
    def increment(self, method: str | None = None, url: str | None = None, *rest: Any, **more: Any) -> Self:
        # What takes half a minute is not waited for twice; a connection that was lost is made anew.
        if isinstance(error := more.get("error"), urllib3.exceptions.ReadTimeoutError):
            raise error
        return super().increment(method, url, *rest, **more)


class Cluster:
    """`ports.Cluster` in one namespace of one cluster."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def read_notebook(self, name: str) -> Object | None:
        """Read the Deployment `jupyterlab-<name>`."""
        return self._read("Deployment", f"{jupyterlab.PREFIX}-{name}")

    def read_agent(self, name: str | None = None) -> Object | None:
        """Read the Deployment of one agent."""
        return self._read("Deployment", f"{agent.PREFIX}-{name}" if name else shared_agent.NAME)

    def read(self, kind: str, name: str) -> Object | None:
        """Read metadata."""
        return self._read(kind, name, accept=_METADATA)

    def of_name(self, name: str) -> list[Object]:
        """Read the metadata of each object that there can be."""
        found = (self.read(kind, f"{prefix}-{name}") for kind, prefix in map(str.split, (NOTEBOOK, *KEYS)))
        return [obj for obj in found if obj]

    def of_user(self, document: str) -> list[Object]:
        """List the metadata of each kind by label."""
        return [obj for kind in KINDS for obj in self._list(kind, labels.of_user(document), accept=_METADATA_LIST)]

    def create(self, manifest: Object) -> Object | None:
        """Create, and leave what exists alone; a class that starts at once meets at the namespace's quota."""
        try:
            created: Object | None = _AGAIN(self._create)(manifest)
        except RetryError as e:
            raise TransientError(str(e.cause)) from e
        return created

    def _create(self, manifest: Object) -> Object | None:
        status, body = self._request(
            "POST",
            self._path(manifest["kind"]),
            query=[("fieldManager", MANAGER)],
            body=manifest,
            refusals=(HTTPStatus.CONFLICT,),
        )
        if status != HTTPStatus.CONFLICT:
            created: Object = body
            return created
        what = f"{manifest['kind']} {manifest['metadata']['name']}"
        if str(body.get("message", "")).startswith(_TERMINATING):
            raise BeingDeleted(f"{what} is still being deleted")
        if body.get("reason") != "AlreadyExists":
            raise _QuotaChanged(f"others kept changing the quota while Kubernetes was to make {what}")
        return None

    def apply(self, manifest: Object, read: Object) -> Object:
        """Server-side apply, forced: what this controller states is nobody else's to change."""
        path = self._path_of(manifest)
        version = self._own_by_apply(path, read)
        status, body = self._request(
            "PATCH",
            path,
            query=[("fieldManager", MANAGER), ("force", "true")],
            content_type="application/apply-patch+yaml",
            # JSON is YAML, and this content type is sent as it is given.
            body=json.dumps({**manifest, "metadata": {**manifest["metadata"], **version}}),
            refusals=_CHANGED,
        )
        return _unchanged(status, body, manifest)

    def annotate(self, manifest: Object, read: Object) -> Object:
        """Patch the metadata alone."""
        stated = {part: manifest["metadata"].get(part, {}) for part in ("labels", "annotations")}
        status, body = self._request(
            "PATCH",
            self._path_of(manifest),
            query=[("fieldManager", MANAGER)],
            content_type="application/merge-patch+json",
            body={"metadata": {**_version(read), **stated}},
            refusals=_CHANGED,
        )
        return _unchanged(status, body, manifest)

    def delete(self, read: Object) -> None:
        """Delete with the uid and resourceVersion that were read, so that another look's work is not undone."""
        if self._delete(read)[0] == HTTPStatus.CONFLICT:
            raise ObjectChanged(f"{read['kind']} {read['metadata']['name']} is not what was read")

    def every(self) -> Iterator[Listed]:
        """List every kind in pages: Deployments as tables, which say how many pods there are, of others metadata."""
        for row in self._rows("Deployment", accept=_TABLE):
            column = row["columns"]["Available"]
            if facts.is_ending(row["object"]):
                continue
            yield _listed("Deployment", row["object"], available=bool(row["cells"][column]))
        for kind in (*(kind for kind in KINDS if kind != "Deployment"), "PersistentVolumeClaim"):
            for obj in self._pages(kind, MANAGED, accept=_METADATA_LIST):
                # A disk that is to go stays for as long as it is in use.
                if kind == "PersistentVolumeClaim" or not facts.is_ending(obj):
                    yield _listed(kind, obj, available=True)

    def pods(self, name: str) -> list[Object]:
        """List pods by label."""
        return self._list("Pod", labels.of_name(name))

    def warnings(self, pod: Object) -> list[Object]:
        """List Events by what they are about."""
        about = f"involvedObject.uid={pod['metadata']['uid']},type=Warning"
        return list(self._pages("Event", "", fields=about))

    def tell(self, live: Object, *, reason: str, message: str) -> None:
        """Create an Event."""
        now = datetime.now(UTC)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{live['metadata']['name']}."},
            "involvedObject": {
                "apiVersion": "apps/v1",
                "kind": live["kind"],
                "namespace": self._namespace,
                "name": live["metadata"]["name"],
                "uid": live["metadata"]["uid"],
            },
            "reason": reason,
            "message": message[:1024],
            "type": "Warning" if reason in ("Failed", "Rejected") else "Normal",
            "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": 1,
            "source": {"component": MANAGER},
            "reportingComponent": MANAGER,
        }
        with suppress(TransientError, ClusterRefused):
            self._request("POST", self._path("Event"), body=event, refusals=(HTTPStatus.CONFLICT,))

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
            why = refusal(body)
            raise ClusterRefused(why.reason, why.message)

    def delete_claim(self, read: Object) -> bool:
        """Delete the claim that was read; it stays for as long as Kubernetes protects it from deletion."""
        status, body = self._delete(read)
        if status == HTTPStatus.CONFLICT:
            raise ObjectChanged(f"PersistentVolumeClaim {read['metadata']['name']} is not what was read")
        return status == HTTPStatus.NOT_FOUND or not body.get("metadata", {}).get("finalizers")

    def _read(self, kind: str, name: str, accept: str = _JSON) -> Object | None:
        status, body = self._request("GET", self._path(kind, name), accept=accept, refusals=(HTTPStatus.NOT_FOUND,))
        return None if status == HTTPStatus.NOT_FOUND else {**body, **_type(kind)}

    def _delete(self, read: Object) -> tuple[int, Any]:
        of_notebook = facts.key(read) == NOTEBOOK
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            # A notebook's Deployment tells, by being there, that a pod of it is there.
            "propagationPolicy": "Foreground" if of_notebook else "Background",
            "preconditions": _version(read),
        }
        path = self._path(read["kind"], read["metadata"]["name"])
        return self._request("DELETE", path, body=options, refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))

    def _own_by_apply(self, path: str, read: Object) -> dict[str, str]:
        """Let what was created or patched be owned as if it had been applied: else nothing stated then ever goes.

        Returns which version of the object that makes.
        https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
        """
        entries = read["metadata"].get("managedFields", [])
        own = [entry for entry in entries if entry.get("manager") == MANAGER and not entry.get("subresource")]
        if not any(entry["operation"] == "Update" for entry in own):
            return _version(read)
        fields = reduce(merged, (entry["fieldsV1"] for entry in own))
        one = {**own[0], "operation": "Apply", "fieldsV1": fields}
        metadata = {**_version(read), "managedFields": [*(entry for entry in entries if entry not in own), one]}
        status, body = self._request(
            "PATCH",
            path,
            query=[("fieldManager", MANAGER)],
            content_type="application/merge-patch+json",
            body={"metadata": metadata},
            refusals=_CHANGED,
        )
        return _version(_unchanged(status, body, read))

    def _list(self, kind: str, selector: str, accept: str = _JSON) -> list[Object]:
        return list(self._pages(kind, selector, accept=accept))

    def _pages(self, kind: str, selector: str, fields: str = "", accept: str = _JSON) -> Iterator[Object]:
        for body in self._bodies(kind, selector, fields, accept):
            # The items of a list do not say what they are.
            yield from ({**item, **_type(kind)} for item in body["items"] or [])

    def _rows(self, kind: str, accept: str) -> Iterator[Any]:
        columns: dict[str, int] = {}
        for body in self._bodies(kind, MANAGED, "", accept):
            # Pages after the first do not repeat them.
            columns = {each["name"]: at for at, each in enumerate(body["columnDefinitions"])} or columns
            yield from ({**row, "columns": columns} for row in body["rows"] or [])

    def _bodies(self, kind: str, selector: str, fields: str, accept: str) -> Iterator[Any]:
        following = ""
        while True:
            query = [
                ("labelSelector", selector),
                ("fieldSelector", fields),
                ("limit", str(_PAGE)),
                ("continue", following),
            ]
            _, body = self._request("GET", self._path(kind), query=[pair for pair in query if pair[1]], accept=accept)
            yield body
            following = body["metadata"].get("continue", "")
            if not following:
                return

    def _path_of(self, manifest: Object) -> str:
        return self._path(manifest["kind"], manifest["metadata"]["name"])

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
        accept: str = _JSON,
        body: Any = None,
        refusals: tuple[HTTPStatus, ...] = (),
    ) -> tuple[int, Any]:
        """Answer with status and body of 2xx and `refusals`; raises ClusterRefused or, else, TransientError."""
        count("kubernetes")
        headers = {"Accept": accept, "Content-Type": content_type}
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
            answer = json.loads(text) if text else {}
        except (client.ApiException, urllib3.exceptions.HTTPError, ValueError) as e:
            raise TransientError(f"Kubernetes is away: {method} {path}: {type(e).__name__}") from e
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES or response.status in refusals:
            return response.status, answer
        if _is_refusal(response.status, answer) and (why := refusal(answer)).refused:
            raise ClusterRefused(why.reason, why.message)
        # The reason is one word of Kubernetes'; its message could quote an object.
        raise TransientError(f"Kubernetes answered {response.status} {answer.get('reason', '')}: {method} {path}")


def _is_refusal(status: int, answer: Any) -> bool:
    """Whether the API server may mean it: what server-side apply cannot read at all, it calls an error of its own."""
    unreadable = str(answer.get("message", "")).startswith(_UNREADABLE)
    return status in _REFUSED or (status == HTTPStatus.INTERNAL_SERVER_ERROR and unreadable)


def _type(kind: str) -> dict[str, str]:
    return {"apiVersion": _PATHS[kind][0], "kind": kind}


def _version(read: Object) -> dict[str, str]:
    return {key: read["metadata"][key] for key in ("uid", "resourceVersion")}


def _unchanged(status: int, body: Any, manifest: Object) -> Object:
    if status in _CHANGED:
        raise ObjectChanged(f"{manifest['kind']} {manifest['metadata']['name']} is not what was read")
    changed: Object = body
    return changed


def _listed(kind: str, obj: Object, *, available: bool) -> Listed:
    meta = obj["metadata"]
    obj = {"kind": kind, "metadata": meta}
    owner = facts.owner(obj)
    return Listed(
        sys.intern(facts.key(obj)),
        sys.intern(facts.instance(obj)),
        owner and sys.intern(owner),
        facts.user(obj),
        available,
        sys.intern(owned(meta)),
        facts.template_of(obj),
    )
