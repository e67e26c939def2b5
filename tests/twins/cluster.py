"""The twin of one namespace of a Kubernetes cluster, with the little of its controllers and nodes that matters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from kupyterhub.domain import labels
from kupyterhub.domain import live as facts
from kupyterhub.domain.desired import KEYS, KINDS, NOTEBOOK
from kupyterhub.domain.differs import Listed
from kupyterhub.domain.drift import owned
from kupyterhub.domain.errors import BeingDeleted, ObjectChanged
from kupyterhub.ports import Clock
from twins.requests import Requests
from twins.server_side_apply import Object, copied, fits, merged, owned_by, taken

MANAGED = "app.kubernetes.io/managed-by=kupyterhub"
PROTECTION = "kubernetes.io/pvc-protection"


@dataclass
class FakeCluster:
    """Objects with uid, resourceVersion, generation and creationTimestamp, and requests written down one by one."""

    clock: Clock
    requests: Requests = field(default_factory=Requests)
    claims_ever: set[str] = field(default_factory=set)
    """Names of all PersistentVolumeClaims that were made."""
    events: list[Object] = field(default_factory=list)
    """Events of type Warning about pods."""
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """Events that the controller made: about which Deployment, reason and message."""
    expandable: bool = True
    """Whether the StorageClass makes disks bigger."""
    _objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    _applied: dict[tuple[str, str], Object] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    # What the controller asks (ports.Cluster).

    def read_notebook(self, name: str) -> Object | None:
        return self._read("Deployment", f"jupyterlab-{name}")

    def read_agent(self, name: str | None = None) -> Object | None:
        return self._read("Deployment", f"agent-{name}" if name else "agent")

    def read(self, kind: str, name: str) -> Object | None:
        return _metadata(self._read(kind, name))

    def of_name(self, name: str) -> list[Object]:
        found = (self.read(kind, f"{prefix}-{name}") for kind, prefix in map(str.split, (NOTEBOOK, *KEYS)))
        return [obj for obj in found if obj]

    def of_user(self, document: str) -> list[Object]:
        found = [obj for kind in KINDS for obj in self._list(kind, labels.of_user(document))]
        return [meta for obj in found if (meta := _metadata(obj))]

    def create(self, manifest: Object) -> Object | None:
        key = (manifest["kind"], manifest["metadata"]["name"])
        self.requests.note(f"create {key[0]} {key[1]}")
        if "deletionTimestamp" in self._objects.get(key, {"metadata": {}})["metadata"]:
            raise BeingDeleted(f"{key[0]} {key[1]} is still being deleted")
        if key in self._objects:
            return None
        self._applied[key] = copied(manifest)
        return self._add(manifest)

    def apply(self, manifest: Object, read: Object) -> Object:
        key = (manifest["kind"], manifest["metadata"]["name"])
        self.requests.note(f"apply {key[0]} {key[1]}")
        self._expect(key, read)
        self._replace(key, _owned(merged(self._objects[key], self._applied.get(key, {}), manifest), manifest))
        self._applied[key] = copied(manifest)
        return copied(self._objects[key])

    def annotate(self, manifest: Object, read: Object) -> Object:
        key = (manifest["kind"], manifest["metadata"]["name"])
        self.requests.note(f"annotate {key[0]} {key[1]}")
        self._expect(key, read)
        stated = {part: manifest["metadata"].get(part, {}) for part in ("labels", "annotations")}
        own = owned_by(labels.MANAGER, {"metadata": stated})
        changed = merged(self._objects[key], {}, {"metadata": stated})
        entries = changed["metadata"]["managedFields"]
        changed["metadata"]["managedFields"] = [*entries, *(entry for entry in own if entry not in entries)]
        self._replace(key, changed)
        return copied(self._objects[key])

    def delete(self, read: Object) -> None:
        key = (read["kind"], read["metadata"]["name"])
        self.requests.note(f"delete {key[0]} {key[1]}")
        if key not in self._objects:
            return
        self._expect(key, read)
        if facts.key(read) == NOTEBOOK and self._pods_of(key[1]):
            # In the foreground: it is there for as long as its pods are.
            self._patch(key, {"metadata": {"deletionTimestamp": _text(self.clock())}})
        else:
            self._drop(key)

    def every(self) -> Iterator[Listed]:
        for kind in (*KINDS, "PersistentVolumeClaim"):
            for obj in self._list(kind, MANAGED):
                if facts.is_ending(obj) and kind != "PersistentVolumeClaim":
                    continue
                available = kind != "Deployment" or facts.is_available(obj)
                yield Listed(
                    facts.key(obj),
                    facts.instance(obj),
                    facts.owner(obj),
                    facts.user(obj),
                    available,
                    owned(obj["metadata"]),
                    facts.template_of(obj),
                )

    def pods(self, name: str) -> list[Object]:
        return self._list("Pod", f"{MANAGED},app.kubernetes.io/instance={name}")

    def warnings(self, pod: Object) -> list[Object]:
        self.requests.note(f"list Event {pod['metadata']['name']}")
        return copied([each for each in self.events if each["involvedObject"]["uid"] == pod["metadata"]["uid"]])

    def tell(self, live: Object, *, reason: str, message: str) -> None:
        self.told.append((live["metadata"]["name"], reason, message))

    def read_claim(self, name: str) -> Object | None:
        return self._read("PersistentVolumeClaim", f"home-{name}")

    def resize_claim(self, name: str, size: str) -> None:
        self.requests.note(f"resize PersistentVolumeClaim home-{name} {size}")
        if self.expandable:
            patch = {"spec": {"resources": {"requests": {"storage": size}}}}
            self._patch(("PersistentVolumeClaim", f"home-{name}"), patch)

    def delete_claim(self, read: Object) -> bool:
        key = ("PersistentVolumeClaim", read["metadata"]["name"])
        self.requests.note(f"delete {key[0]} {key[1]}")
        if key not in self._objects:
            return True
        self._expect(key, read)
        self._patch(key, {"metadata": {"deletionTimestamp": _text(self.clock())}})
        return False

    # What Kubernetes' own controllers and nodes do.

    def settle(self) -> None:
        """Let time do its work: pods follow Deployments, which become Available; claims without pods go."""
        for name in self.names("Deployment"):
            if self._is_ending(name):
                self._drop(("Deployment", name))
        running = {name: self._objects["Deployment", name] for name in self.names("Deployment")}
        for pod in self.names("Pod"):
            of = self._objects["Pod", pod]["metadata"]["annotations"]
            if of["deployment"] not in running or running[of["deployment"]]["metadata"]["uid"] != of["uid"]:
                self._drop(("Pod", pod))
        pods = set(self.names("Pod"))
        for name, deployment in running.items():
            pod = f"{name}-{deployment['metadata']['generation']}"
            if pod not in pods:
                for old in [old for old in pods if old.rpartition("-")[0] == name]:
                    self._drop(("Pod", old))
                self.add_pod(name, pod)
                self.available(name, status="True")
        for claim in self.names("PersistentVolumeClaim"):
            meta = self._objects["PersistentVolumeClaim", claim]["metadata"]
            instance = meta["labels"]["app.kubernetes.io/instance"]
            if "deletionTimestamp" in meta and not self._pods_of(f"jupyterlab-{instance}"):
                self._drop(("PersistentVolumeClaim", claim))

    def add_pod(self, deployment: str, name: str | None = None, **status: Any) -> None:
        """A pod of a Deployment."""
        live = self.get("Deployment", deployment)
        template = live["spec"]["template"]
        meta = {
            **template["metadata"],
            "name": name or f"{deployment}-0",
            "annotations": {"deployment": deployment, "uid": live["metadata"]["uid"]},
        }
        self._add({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "status": status})

    def available(self, deployment: str, *, status: str) -> None:
        """Turn a Deployment's condition `Available`, now."""
        condition = {"type": "Available", "status": status, "lastTransitionTime": _text(self.clock())}
        self._patch(("Deployment", deployment), {"status": {"conditions": [condition]}})

    # What people do with kubectl, and what tests look at.

    def change(self, kind: str, name: str, patch: Object) -> None:
        """Merge a patch into an object; what it says is somebody else's then."""
        key = (kind, name)
        self._patch(key, patch)
        for entry in self._objects[key]["metadata"]["managedFields"]:
            entry["fieldsV1"] = taken(entry["fieldsV1"], patch)

    def drop(self, kind: str, name: str) -> None:
        """Delete an object without a precondition."""
        self._drop((kind, name))

    def get(self, kind: str, name: str) -> Object:
        """The object as it is, unnoticed; raises KeyError."""
        return copied(self._objects[kind, name])

    def names(self, kind: str) -> list[str]:
        """Names of all objects of a kind."""
        return sorted(name for each, name in self._objects if each == kind)

    def everything(self) -> set[str]:
        """All objects but pods and what ends with its pods, each as `Kind name`."""
        return {
            f"{kind} {name}"
            for kind, name in self._objects
            if kind != "Pod" and not (kind == "Deployment" and self._is_ending(name))
        }

    def versions(self) -> dict[str, str]:
        """The resourceVersion of every object."""
        return {
            f"{kind} {name}": str(obj["metadata"]["resourceVersion"]) for (kind, name), obj in self._objects.items()
        }

    def specs(self) -> dict[str, Object]:
        """Every object without the notes that Kubernetes makes about it."""
        notes = ("resourceVersion", "managedFields", "generation")
        return {
            f"{kind} {name}": {
                **obj,
                "metadata": {key: value for key, value in obj["metadata"].items() if key not in notes},
            }
            for (kind, name), obj in copied(self._objects).items()
        }

    # Inside.

    def _read(self, kind: str, name: str) -> Object | None:
        self.requests.note(f"read {kind} {name}")
        return copied(self._objects.get((kind, name)))

    def _expect(self, key: tuple[str, str], read: Object) -> None:
        current = self._objects.get(key)
        if current is None or any(
            current["metadata"][name] != read["metadata"][name] for name in ("uid", "resourceVersion")
        ):
            raise ObjectChanged(f"{key[0]} {key[1]}")

    def _patch(self, key: tuple[str, str], patch: Object) -> None:
        self._replace(key, merged(self._objects[key], {}, patch))

    def _is_ending(self, deployment: str) -> bool:
        return facts.is_ending(self._objects["Deployment", deployment])

    def _pods_of(self, deployment: str) -> list[str]:
        return [
            pod
            for pod in self.names("Pod")
            if self._objects["Pod", pod]["metadata"]["annotations"]["deployment"] == deployment
        ]

    def _list(self, kind: str, selector: str) -> list[Object]:
        self.requests.note(f"list {kind} {selector}")
        return self._selected(kind, selector)

    def _selected(self, kind: str, selector: str) -> list[Object]:
        found = (self._objects[kind, name] for name in self.names(kind))
        return [copied(obj) for obj in found if fits(obj["metadata"].get("labels", {}), selector)]

    def _add(self, manifest: Object) -> Object:
        obj = copied(manifest)
        number = str(next(self._numbers))
        obj["metadata"] |= {
            "uid": f"uid-{number}",
            "resourceVersion": number,
            "creationTimestamp": _text(self.clock()),
            "managedFields": owned_by(labels.MANAGER, manifest),
        }
        if obj["kind"] == "Deployment":
            obj["metadata"]["generation"] = 1
        if obj["kind"] == "PersistentVolumeClaim":
            obj["metadata"]["finalizers"] = [PROTECTION]
            self.claims_ever.add(obj["metadata"]["name"])
        self._objects[obj["kind"], obj["metadata"]["name"]] = obj
        return copied(obj)

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


def _metadata(obj: Object | None) -> Object | None:
    return obj and {key: obj[key] for key in ("apiVersion", "kind", "metadata")}


def _owned(obj: Object, manifest: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "managedFields": owned_by(labels.MANAGER, manifest)}}
