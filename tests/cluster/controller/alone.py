"""A controller in the test's own process: real adapters, in a project and a namespace where nobody else is.

No event arrives by itself here; a test looks when it wants, and can do something before any request.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from google.cloud import firestore, pubsub_v1
from kubernetes import client, config

from cluster.controller.kube import Kube, Object, versions
from cluster.controller.system import Person, System, until
from kupyterhub import settings as files
from kupyterhub.adapters.bus import Bus
from kupyterhub.adapters.cluster import Cluster
from kupyterhub.adapters.user_store import UserStore
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.errors import ClusterRefused
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument
from kupyterhub.events import Look
from kupyterhub.ports import Storage
from kupyterhub.reconcile import Outcome, Reconciler
from kupyterhub.resync import Resync
from kupyterhub_local.state import CHECKOUT
from twins.users import REMOVED

PATHS = {
    "Namespace": "api/v1/namespaces/{name}",
    "ResourceQuota": "api/v1/namespaces/{namespace}/resourcequotas/{name}",
    "Role": "apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/{name}",
    "ServiceAccount": "api/v1/namespaces/{namespace}/serviceaccounts/{name}",
}


def make_namespace(kube: Kube, namespace: str) -> None:
    """Make a namespace as infra/cluster does, for the same account of the functions."""
    for file in ("namespace", "quota", "rbac"):
        for manifest in yaml.safe_load_all((CHECKOUT / f"infra/cluster/{file}.yaml").read_text()):
            if manifest["kind"] not in PATHS:
                continue
            manifest["metadata"] |= (
                {"name": namespace} if manifest["kind"] == "Namespace" else {"namespace": namespace}
            )
            name = manifest["metadata"]["name"]
            kube.apply(PATHS[manifest["kind"]].format(name=name, namespace=namespace), manifest)


class CountingApi(client.ApiClient):
    """Writes down every request to the API server."""

    def __init__(self, configuration: client.Configuration) -> None:
        super().__init__(configuration)
        self.requests: list[str] = []

    def call_api(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        self.requests.append(f"{method} {url.partition('/namespaces/')[2].partition('?')[0]}")
        return super().call_api(method, url, *rest, **more)


class Seam:
    """A port that tells of each call before it is made."""

    def __init__(self, port: Any, tell: Callable[[str], None]) -> None:
        self._port = port
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*values: Any, **named: Any) -> Any:
            self._tell(name)
            return method(*values, **named)

        return call


class Remembering(Bus):
    """Also keeps what it publishes, for nobody receives it here."""

    def __init__(self, publisher: pubsub_v1.PublisherClient, project: str) -> None:
        super().__init__(publisher, project)
        self.asked: list[Look] = []

    def ask_to_reconcile(self, users: Iterable[str], *, thoroughly: bool = False) -> None:
        looks = [Look(user, thoroughly=thoroughly) for user in users]
        super().ask_to_reconcile([look.user for look in looks], thoroughly=thoroughly)
        self.asked += looks


class Alone:
    """The controller, its documents and its cluster."""

    def __init__(self, system: System, mark: str) -> None:
        state = system.running.state
        configuration = client.Configuration()
        config.load_kube_config(str(state.controller_kubeconfig), client_configuration=configuration)
        self.api = CountingApi(configuration)
        self.namespace = mark
        self.kube = system.kube
        self.settings: Settings = files.load(state.settings).model_copy(update={"namespace": mark})
        self._documents = firestore.Client(project=mark)
        # An emulator that was started from a snapshot gives it to every project.
        for collection in self._documents.collections():
            self._documents.recursive_delete(collection)
        self._publisher = pubsub_v1.PublisherClient()
        self._publisher.create_topic(name=self._publisher.topic_path(mark, "reconcile-user"))
        self._secret = files.load_master_secret(state.master_secret)
        self.ahead = timedelta()
        """How far the controller's clock is ahead of everybody else's."""
        self.calls: list[str] = []
        """Calls of Firestore, Kubernetes and Pub/Sub, by the ports' names."""
        self._interruption: tuple[int | str, Callable[[], None]] | None = None
        self.cluster = Cluster(self.api, mark)
        self.users = UserStore(self._documents)
        self.folders: Storage | None = None
        self.bus = Remembering(self._publisher, mark)
        until(self._may_list, "the functions' Role holds in the new namespace")
        self.api.requests.clear()

    def close(self) -> None:
        self._documents.close()
        self._publisher.stop()
        self.api.close()

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            users=Seam(self.users, self._told),
            cluster=Seam(self.cluster, self._told),
            bus=Seam(self.bus, self._told),
            settings=self.settings,
            master_secret=self._secret,
            clock=lambda: datetime.now(UTC) + self.ahead,
            folders=self.folders,
        )

    @property
    def resync(self) -> Resync:
        return Resync(self.reconciler)

    def look(self, user: str, **hints: Any) -> Outcome:
        return self.reconciler.reconcile(Look(user, **hints))

    def look_once_old_pods_are_gone(self, user: str) -> None:
        """Who waits for a pod of before is due at once, until it has gone."""
        until(lambda: self.look(user).reason != "Ending", f"the pods of before of {user} have gone")

    def apply(self, kind: str, name: str, **content: Any) -> None:
        """Have an object of these kinds in the namespace, as an administrator."""
        group = {"Role": "rbac.authorization.k8s.io/v1"}
        manifest = {"apiVersion": group.get(kind, "v1"), "kind": kind, "metadata": {"name": name}, **content}
        self.kube.apply(PATHS[kind].format(name=name, namespace=self.namespace), manifest)

    def may(self, verb: str, resource: str) -> bool:
        """Whether the functions' account has a right in the namespace."""
        group, _, plural = resource.rpartition("/")
        asked = {"namespace": self.namespace, "verb": verb, "group": group, "resource": plural}
        review = {"spec": {"resourceAttributes": asked}}
        found = client.AuthorizationV1Api(self.api).create_self_subject_access_review(review)
        return bool(found.status.allowed)

    def answer(self) -> list[Look]:
        """Look at all who were asked for, until nobody is any more."""
        answered: list[Look] = []
        while self.bus.asked:
            answered.append(self.bus.asked.pop(0))
            self.resync.answer(answered[-1])
        return answered

    def before_call(self, which: int | str, act: Callable[[], None]) -> None:
        """Do something once, before the next call of this name, or of this number from now on (the first is 0)."""
        self.calls.clear()
        self._interruption = (which, act)

    @property
    def interrupted(self) -> bool:
        return self._interruption is None

    def set(self, user: str, **fields: Any) -> None:
        kept = {name: firestore.DELETE_FIELD if value is REMOVED else value for name, value in fields.items()}
        self._documents.collection("users").document(user).set(kept, merge=True)

    def overwrite(self, user: str, **fields: Any) -> None:
        """Write the document whole: what it had else, its status too, is gone."""
        self._documents.collection("users").document(user).set(fields)

    def claimed(self, person: Person) -> str | None:
        """Which document holds a person's name."""
        claim = self.users.claim(person.name)
        return claim.user if claim else None

    def put_claim(self, person: Person, user: str | None) -> None:
        """Have another document, or none, hold a person's name."""
        reference = self._documents.collection("names").document(person.name)
        reference.set({"user": user, "since": datetime.now(UTC)}) if user else reference.delete()

    def remove(self, user: str) -> None:
        self._documents.collection("users").document(user).delete()

    def document(self, user: str) -> UserDocument:
        document = self.users.get(user)
        assert document is not None
        return document

    def objects(self, person: Person) -> dict[str, Object]:
        return self.kube.objects(person.name, self.namespace)

    def running(self, person: Person) -> frozenset[str]:
        """Objects of a person but the storage, and but for those that are about to go."""
        return frozenset(
            key
            for key, obj in self.objects(person).items()
            if not key.startswith("PersistentVolumeClaim") and "deletionTimestamp" not in obj["metadata"]
        )

    def ready(self, person: Person) -> None:
        """Enrol somebody whose notebook then becomes ready."""
        self.set(person.user, email=person.email)
        self.look(person.user)
        until(lambda: self.kube.run_pods(person.name, self.namespace), f"pods of {person.name} run")
        self.look(person.user, announcement=self.announcement(person))
        assert self.document(person.user).status.phase == "Ready"

    def announcement(self, person: Person, **other: Any) -> Announcement:
        now = datetime.now(UTC)
        url = f"http://{person.name}.{self.settings.domain}/"
        known = Announcement("registered", person.user, person.name, "pod-1", url, now, now)
        return replace(known, **other)

    def still(self, person: Person) -> dict[str, str]:
        """The resourceVersions of a person's objects, once Kubernetes' own controllers have come to rest."""
        seen: list[dict[str, str]] = []

        def look() -> dict[str, str] | None:
            seen.append(versions(self.objects(person)))
            return seen[-1] if len(seen) >= 8 and all(each == seen[-1] for each in seen[-8:]) else None

        return until(look, f"objects of {person.name} come to rest")

    def _told(self, call: str) -> None:
        self.calls.append(call)
        if self._interruption and self._interruption[0] in (call, len(self.calls) - 1):
            _, act = self._interruption
            self._interruption = None
            act()

    def _may_list(self) -> bool:
        try:
            return self.cluster.of_user("nobody") == []
        except ClusterRefused:
            return False
