"""The twin of one namespace of a Kubernetes cluster, with the little of its controllers and nodes that matters."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from kupyterhub.domain.errors import ObjectChanged, TransientError
from kupyterhub.ports import Applied, Clock
from twins.requests import Requests
from twins.server_side_apply import Object, fits, merged

USER_KINDS = ("Deployment", "Service", "Secret", "ServiceAccount")
MANAGED = "app.kubernetes.io/managed-by=kupyterhub"
PROTECTION = "kubernetes.io/pvc-protection"


@dataclass
class FakeCluster:
    """Objects with uid, resourceVersion, generation and creationTimestamp, and requests written down one by one."""

    clock: Clock
    requests: Requests = field(default_factory=Requests)
    claims_ever: set[str] = field(default_factory=set)
    """Names of all PersistentVolumeClaims that were made."""
    expandable: bool = True
    """Whether the StorageClass makes disks bigger."""
    _objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    _applied: dict[tuple[str, str], Object] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    # What the controller asks (ports.Cluster).

    def read_notebook(self, name: str) -> Object | None:
        self.requests.note(f"read Deployment jupyterlab-{name}")
        return deepcopy(self._objects.get(("Deployment", f"jupyterlab-{name}")))

    def read_shared_agent(self) -> Object | None:
        self.requests.note("read Deployment agent")
        return deepcopy(self._objects.get(("Deployment", "agent")))

    def apply(self, manifest: Object) -> Applied:
        key = (manifest["kind"], manifest["metadata"]["name"])
        self.requests.note(f"apply {key[0]} {key[1]}")
        live = self._objects.get(key)
        if live is None:
            self._applied[key] = deepcopy(manifest)
            return Applied(self._add(manifest), created=True)
        self._replace(key, merged(live, self._applied.get(key, {}), manifest))
        self._applied[key] = deepcopy(manifest)
        return Applied(deepcopy(self._objects[key]), created=False)

    def create(self, manifest: Object) -> Applied | None:
        key = (manifest["kind"], manifest["metadata"]["name"])
        self.requests.note(f"create {key[0]} {key[1]}")
        if "deletionTimestamp" in self._objects.get(key, {"metadata": {}})["metadata"]:
            raise TransientError(f"{key[0]} {key[1]} is still being deleted")
        return None if key in self._objects else Applied(self._add(manifest), created=True)

    def user_objects(self, selector: str) -> list[Object]:
        return [obj for kind in USER_KINDS for obj in self._list(kind, selector)]

    def deployments(self) -> list[Object]:
        return self._list("Deployment", MANAGED)

    def pods(self, selector: str) -> list[Object]:
        return self._list("Pod", selector)

    def delete(self, live: Object) -> None:
        key = (live["kind"], live["metadata"]["name"])
        self.requests.note(f"delete {key[0]} {key[1]}")
        current = self._objects.get(key)
        if current is None:
            return
        if any(current["metadata"][name] != live["metadata"][name] for name in ("uid", "resourceVersion")):
            raise ObjectChanged(f"{key[0]} {key[1]}")
        self._drop(key)

    def read_claim(self, name: str) -> Object | None:
        self.requests.note(f"read PersistentVolumeClaim home-{name}")
        return deepcopy(self._objects.get(("PersistentVolumeClaim", f"home-{name}")))

    def resize_claim(self, name: str, size: str) -> None:
        self.requests.note(f"resize PersistentVolumeClaim home-{name} {size}")
        key = ("PersistentVolumeClaim", f"home-{name}")
        if self.expandable:
            self.change(*key, {"spec": {"resources": {"requests": {"storage": size}}}})

    def delete_claim(self, name: str) -> bool:
        self.requests.note(f"delete PersistentVolumeClaim home-{name}")
        key = ("PersistentVolumeClaim", f"home-{name}")
        if key not in self._objects:
            return True
        self.change(*key, {"metadata": {"deletionTimestamp": _text(self.clock())}})
        return False

    # What Kubernetes' own controllers and nodes do.

    def settle(self) -> None:
        """Let time do its work: pods follow Deployments, which become Available; claims without pods go."""
        running = set(self.names("Deployment"))
        for pod in self.names("Pod"):
            if self.get("Pod", pod)["metadata"]["annotations"]["deployment"] not in running:
                self._drop(("Pod", pod))
        for name in running:
            deployment = self.get("Deployment", name)
            pod = f"{name}-{deployment['metadata']['generation']}"
            if pod not in self.names("Pod"):
                for old in [old for old in self.names("Pod") if old.rpartition("-")[0] == name]:
                    self._drop(("Pod", old))
                self.add_pod(name, pod)
                self.available(name, status="True")
        for claim in self.names("PersistentVolumeClaim"):
            meta = self.get("PersistentVolumeClaim", claim)["metadata"]
            instance = meta["labels"]["app.kubernetes.io/instance"]
            if "deletionTimestamp" in meta and not self._selected("Pod", f"app.kubernetes.io/instance={instance}"):
                self._drop(("PersistentVolumeClaim", claim))

    def add_pod(self, deployment: str, name: str | None = None, **status: Any) -> None:
        """A pod of a Deployment."""
        template = self.get("Deployment", deployment)["spec"]["template"]
        meta = {
            **template["metadata"],
            "name": name or f"{deployment}-0",
            "annotations": {"deployment": deployment},
        }
        self._add({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "status": status})

    def available(self, deployment: str, *, status: str) -> None:
        """Turn a Deployment's condition `Available`, now."""
        condition = {"type": "Available", "status": status, "lastTransitionTime": _text(self.clock())}
        self.change("Deployment", deployment, {"status": {"conditions": [condition]}})

    # What people do with kubectl, and what tests look at.

    def change(self, kind: str, name: str, patch: Object) -> None:
        """Merge a patch into an object."""
        key = (kind, name)
        self._replace(key, merged(self._objects[key], {}, patch))

    def drop(self, kind: str, name: str) -> None:
        """Delete an object without a precondition."""
        self._drop((kind, name))

    def get(self, kind: str, name: str) -> Object:
        """The object as it is, unnoticed; raises KeyError."""
        return deepcopy(self._objects[kind, name])

    def names(self, kind: str) -> list[str]:
        """Names of all objects of a kind."""
        return sorted(name for each, name in self._objects if each == kind)

    def everything(self) -> set[str]:
        """All objects but pods, each as `Kind name`."""
        return {f"{kind} {name}" for kind, name in self._objects if kind != "Pod"}

    def versions(self) -> dict[str, str]:
        """The resourceVersion of every object."""
        return {
            f"{kind} {name}": str(obj["metadata"]["resourceVersion"]) for (kind, name), obj in self._objects.items()
        }

    # Inside.

    def _list(self, kind: str, selector: str) -> list[Object]:
        self.requests.note(f"list {kind} {selector}")
        return self._selected(kind, selector)

    def _selected(self, kind: str, selector: str) -> list[Object]:
        found = [self.get(kind, name) for name in self.names(kind)]
        return [obj for obj in found if fits(obj["metadata"].get("labels", {}), selector)]

    def _add(self, manifest: Object) -> Object:
        obj = deepcopy(manifest)
        number = str(next(self._numbers))
        obj["metadata"] |= {
            "uid": f"uid-{number}",
            "resourceVersion": number,
            "creationTimestamp": _text(self.clock()),
        }
        if obj["kind"] == "Deployment":
            obj["metadata"]["generation"] = 1
        if obj["kind"] == "PersistentVolumeClaim":
            obj["metadata"]["finalizers"] = [PROTECTION]
            self.claims_ever.add(obj["metadata"]["name"])
        self._objects[obj["kind"], obj["metadata"]["name"]] = obj
        return deepcopy(obj)

    def _replace(self, key: tuple[str, str], new: Object) -> None:
        old = self._objects[key]
        if new == old:
            return
        if "generation" in old["metadata"] and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        new["metadata"]["resourceVersion"] = str(next(self._numbers))
        self._objects[key] = new

    def _drop(self, key: tuple[str, str]) -> None:
        del self._objects[key]
        self._applied.pop(key, None)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
