"""How many requests a look costs: the real adapters on a real API server and Firestore, counted at the seam."""

import os
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from google.cloud import firestore, pubsub_v1
from google.cloud.firestore_v1._helpers import encode_dict
from google.cloud.firestore_v1.types import Document
from google.events.cloud.firestore import DocumentEventData
from kubernetes import client, config

import local_system
from bench.figures import Figure
from kupyterhub.adapters.bus import Bus
from kupyterhub.adapters.cluster import Cluster
from kupyterhub.adapters.user_store import UserStore, decode_write
from kupyterhub.domain.settings import Settings
from kupyterhub.events import Look, look_of_write
from kupyterhub.reconcile import Reconciler
from kupyterhub_local.users import PROJECT

READS = ("get", "with_status_email", "with_email", "due", "every")
WRITES = ("write", "forget_observed")
SETTINGS = {
    "domain": "localhost:8000",
    "allowedEmails": ["*"],
    "images": {"agent": "localhost/agent", "jupyterlab": "localhost/jupyterlab"},
    "profiles": {"default": {}},
}


class CountingClient(client.ApiClient):  # type: ignore[misc]
    """Counts what goes to the API server."""

    requests = 0

    def call_api(self, *arguments: Any, **options: Any) -> Any:
        self.requests += 1
        return super().call_api(*arguments, **options)


class CountingStore(UserStore):
    """Counts calls of the user store, each of which is one request to Firestore."""

    def __init__(self, store: firestore.Client) -> None:
        super().__init__(store)
        self.calls: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in READS + WRITES:
            self.calls["reads" if name in READS else "writes"] += 1
        return super().__getattribute__(name)


def measure() -> list[Figure]:
    """Count for the first look, for a look at an unchanged user, and for the echo of a status."""
    with tempfile.TemporaryDirectory() as folder, local_system.emulators(Path(folder) / "emulators") as emulators:
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulators.firestore_host
        os.environ["PUBSUB_EMULATOR_HOST"] = emulators.pubsub_host
        with local_system.control_plane(Path(folder) / "control-plane") as plane:
            return _count(plane)


def _count(plane: local_system.RunningControlPlane) -> list[Figure]:
    firestore_client = firestore.Client(PROJECT)
    store = CountingStore(firestore_client)
    api = _api(plane.controller_kubeconfig)
    reconciler = Reconciler(
        users=store,
        cluster=Cluster(api, "kupyterhub"),
        bus=Bus(pubsub_v1.PublisherClient(), PROJECT),
        settings=Settings.model_validate(yaml.safe_load(yaml.safe_dump(SETTINGS))),
        master_secret=b"of the benchmark, and nobody else's",
        clock=lambda: datetime.now(UTC),
    )
    document = firestore_client.collection("users").document("counted")
    document.set({"email": "counted@example.com"})
    asked = document.get()
    reconciler.reconcile(Look("counted", created=True))
    first = api.requests
    _rest(reconciler, document)
    versions, written = _versions(reconciler), document.get()
    api.requests, store.calls = 0, Counter()
    reconciler.reconcile(Look("counted"))
    again, reads, writes = api.requests, store.calls["reads"], store.calls["writes"]
    moved = len(set(_versions(reconciler).items()) ^ set(versions.items()))
    moved += document.get().update_time != written.update_time
    api.requests, store.calls = 0, Counter()
    if look := look_of_write(decode_write(_event(asked, written))):
        reconciler.reconcile(look)
    echo = api.requests + store.calls.total()
    api.requests = 0
    firestore_client.collection("users").document("sharing").set({"email": "sharing@example.com"})
    shared = replace(reconciler, settings=reconciler.settings.model_copy(update={"agent": "shared"}))
    shared.reconcile(Look("sharing", created=True))
    sharing = api.requests
    return [
        Figure("first look: API-server requests", first, 8, "", "7 objects, 1 read of the Deployment"),
        Figure("first look, shared agent: API-server requests", sharing, 6, "", "without an agent's two objects"),
        Figure("unchanged user: API-server requests", again, first, ""),
        Figure("unchanged user: Firestore reads", reads, 1, ""),
        Figure("unchanged user: Firestore writes", writes, 0, ""),
        Figure("unchanged user: resourceVersions and update times that move", moved, 0, ""),
        Figure("echo of a status: requests of either kind", echo, 0, ""),
    ]


def _rest(reconciler: Reconciler, document: firestore.DocumentReference) -> None:
    """Look until the scheduler has said that there is no node, which is news for the status."""
    while document.get().to_dict()["status"]["reason"] != "WaitingForNode":
        time.sleep(0.1)
        reconciler.reconcile(Look("counted"))


def _api(kubeconfig: Path) -> CountingClient:
    configuration = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    return CountingClient(configuration)


def _versions(reconciler: Reconciler) -> dict[str, str]:
    """Of Secrets, Services and ServiceAccounts; of Deployments the generation, for their status moves by itself."""
    objects = reconciler.cluster.user_objects("app.kubernetes.io/managed-by=kupyterhub")
    return {
        f"{obj['kind']} {obj['metadata']['name']}": str(obj["metadata"].get("generation"))
        if obj["kind"] == "Deployment"
        else obj["metadata"]["resourceVersion"]
        for obj in objects
    }


def _event(old: firestore.DocumentSnapshot, new: firestore.DocumentSnapshot) -> bytes:
    event = DocumentEventData.pb(DocumentEventData())
    for target, snapshot in ((event.old_value, old), (event.value, new)):
        # The two packages have classes of their own for one wire format.
        encoded = Document(name=snapshot.reference.path, fields=encode_dict(snapshot.to_dict()))
        target.ParseFromString(Document.serialize(encoded))
    return bytes(event.SerializeToString())
