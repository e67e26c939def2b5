"""What a look costs: requests of the real adapters to a real API server and Firestore, and what these cost in turn.

A start is measured with 100, 1,000 and 3,000 others in the namespace: nothing may grow with how many there are.
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
import yaml
from google.cloud import firestore, pubsub_v1
from google.cloud.firestore_v1._helpers import encode_dict
from google.cloud.firestore_v1.types import Document
from google.events.cloud.firestore import DocumentEventData
from kubernetes import client, config

import local_system
from bench.figures import Figure
from bench.node import node
from kupyterhub.adapters.bus import Bus
from kupyterhub.adapters.cluster import Cluster
from kupyterhub.adapters.user_store import UserStore, decode_write
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.urls import user_url
from kupyterhub.events import Look, look_of_write
from kupyterhub.ports import Record
from kupyterhub.reconcile import Reconciler
from kupyterhub_local.users import PROJECT
from kupyterhub_rules.names import base_name

SETTINGS = {
    "domain": "localhost:8000",
    "allowedEmails": ["*"],
    "images": {"agent": "localhost/agent", "jupyterlab": "localhost/jupyterlab"},
    "profiles": {"default": {}},
}
CROWDS = (100, 1000, 3000)
STARTS = 100
"""How many people start one after the other while it is measured what each costs."""


class CountingClient(client.ApiClient):  # type: ignore[misc]
    """Counts what goes to the API server."""

    requests = 0

    def call_api(self, *arguments: Any, **options: Any) -> Any:
        self.requests += 1
        return super().call_api(*arguments, **options)


class CountingStore(UserStore):
    """Counts documents that are read by name and queried for, and documents that are written."""

    def __init__(self, store: firestore.Client) -> None:
        super().__init__(store)
        self.counts: Counter[Literal["reads", "writes"]] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in {"get", "claim", "claims_of", "with_status_email", "with_email", "approval"}:
            self.counts["reads"] += 1
        return super().__getattribute__(name)

    def write(self, document: Any, record: Record) -> Any:
        self.counts["writes"] += 1 + len(record.history) + (record.release is not None)
        return super().write(document, record)

    def take(self, document: Any, name: str, record: Record, *rest: Any, **more: Any) -> Any:
        self.counts["writes"] += 2 + len(record.history) + (record.release is not None)
        return super().take(document, name, record, *rest, **more)


@dataclass(frozen=True)
class Bench:
    """A controller, its documents and the API server that it speaks to."""

    reconciler: Reconciler
    store: CountingStore
    api: CountingClient
    documents: Any
    server: psutil.Process
    node_kubeconfig: Path
    admin: client.ApiClient

    def enrol(self, user: str) -> None:
        self.documents.document(user).set({"email": f"{user}@example.com"})

    def look(self, user: str, **hints: Any) -> None:
        self.reconciler.reconcile(Look(user, **hints))

    def start(self, user: str) -> None:
        """From the document to Ready: a look, and what the agent then announces."""
        self.enrol(user)
        self.look(user)
        self.announce(user)

    def announce(self, user: str) -> None:
        now, name = datetime.now(UTC), base_name(f"{user}@example.com")
        url = user_url(self.reconciler.settings, name)
        self.look(user, announcement=Announcement("registered", user, name, "pod", url, now, now))

    def status(self, user: str) -> dict[str, Any]:
        found: dict[str, Any] = self.documents.document(user).get().to_dict()["status"]
        return found

    @contextmanager
    def counting(self) -> Iterator["Counted"]:
        """Count requests and writes from here on."""
        counted, requests, counts = Counted(), self.api.requests, Counter(self.store.counts)
        yield counted
        counted.requests = self.api.requests - requests
        counted.reads = self.store.counts["reads"] - counts["reads"]
        counted.writes = self.store.counts["writes"] - counts["writes"]

    def served(self) -> tuple[float, int]:
        """CPU seconds of the API server so far, and its writes for whomever."""
        times = self.server.cpu_times()
        lines = [
            line
            for line in self._get("/metrics", "text/plain").splitlines()
            if line.startswith("apiserver_request_total{")
        ]
        writes = sum(float(line.rpartition(" ")[2]) for line in lines if any(f'verb="{v}"' in line for v in _VERBS))
        return times.user + times.system, int(writes)

    def rest(self) -> None:
        """Wait until Kubernetes' controllers have done what there was to do."""
        before, calm = self._version(), 0
        while calm < 3:
            time.sleep(1)
            after = self._version()
            # Leases are renewed every few seconds.
            calm, before = (calm + 1 if after - before <= 4 else 0), after

    def _version(self) -> int:
        """Grows with each write; asking for it costs next to nothing."""
        return int(self._get("/api/v1/namespaces?limit=1", "application/json")["metadata"]["resourceVersion"])

    def _get(self, path: str, accept: str) -> Any:
        headers = {"Accept": accept}
        text = self.admin.call_api(*self.admin.param_serialize("GET", path, header_params=headers)).read().decode()
        return json.loads(text) if accept == "application/json" else text


_VERBS = ("POST", "PUT", "PATCH", "APPLY", "DELETE")


@dataclass
class Counted:
    requests: int = 0
    reads: int = 0
    writes: int = 0


def measure() -> list[Figure]:
    """Count for each kind of look, then weigh starts in ever larger crowds."""
    with bench() as running:
        figures = _looks(running)
        with tempfile.TemporaryDirectory() as disks, node(running.node_kubeconfig, Path(disks)):
            return [*figures, *_crowds(running)]


@contextmanager
def bench() -> Iterator[Bench]:
    """Emulators, a control plane without a node, and a controller in this process."""
    with tempfile.TemporaryDirectory() as folder, local_system.emulators(Path(folder) / "emulators") as emulators:
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulators.firestore_host
        os.environ["PUBSUB_EMULATOR_HOST"] = emulators.pubsub_host
        publisher = pubsub_v1.PublisherClient()
        publisher.create_topic(name=publisher.topic_path(PROJECT, "reconcile-user"))
        with local_system.control_plane(Path(folder) / "control-plane") as plane:
            firestore_client = firestore.Client(PROJECT)
            store, api = CountingStore(firestore_client), _api(CountingClient, plane.controller_kubeconfig)
            yield Bench(
                Reconciler(
                    users=store,
                    cluster=Cluster(api, "kupyterhub"),
                    bus=Bus(publisher, PROJECT),
                    settings=Settings.model_validate(yaml.safe_load(yaml.safe_dump(SETTINGS))),
                    master_secret=b"of the benchmark, and nobody else's",
                    clock=lambda: datetime.now(UTC),
                ),
                store,
                api,
                firestore_client.collection("users"),
                psutil.Process(plane.supervisor._children["kube-apiserver"].process.pid),
                plane.node_kubeconfig,
                _api(client.ApiClient, plane.admin_kubeconfig),
            )


def _looks(bench: Bench) -> list[Figure]:
    bench.enrol("counted")
    asked = bench.documents.document("counted").get()
    with bench.counting() as first:
        bench.look("counted")
    with bench.counting() as due:
        _until_the_scheduler_has_spoken(bench)
        bench.look("counted")
    due_each = due.requests / max(1, due.reads // 2)
    with bench.counting() as announced:
        bench.announce("counted")
    written, versions = bench.documents.document("counted").get(), _versions(bench)
    with bench.counting() as again:
        bench.look("counted")
    moved = len(set(_versions(bench).items()) ^ set(versions.items()))
    moved += bench.documents.document("counted").get().update_time != written.update_time
    with bench.counting() as echo:
        if look := look_of_write(decode_write(_event(asked, written))):
            bench.reconciler.reconcile(look)
    shared = replace(bench, reconciler=_shared(bench.reconciler))
    with shared.counting() as sharing:
        shared.start("sharing")
    start = Counted(first.requests + announced.requests, writes=first.writes + announced.writes)
    bench.documents.document("counted").update({"state": "stopped"})
    with bench.counting() as stop:
        bench.look("counted")
    return [
        Figure(
            "a start, from document to Ready: API-server requests", start.requests, 10, "", "one Event each phase"
        ),
        Figure("a start: documents written, history included", start.writes, 3, "", "claim, two statuses"),
        Figure(
            "a start, shared agent: API-server requests", sharing.requests, 7, "", "without an agent's three objects"
        ),
        Figure(
            "an announcement that makes Ready: API-server requests", announced.requests, 2, "", "one is the Event"
        ),
        Figure("a due look at one who is starting: API-server requests", due_each, 2, ""),
        Figure("unchanged user: API-server requests", again.requests, 1, ""),
        Figure("unchanged user: Firestore reads", again.reads, 2, "", "the document, and who holds the name"),
        Figure("unchanged user: Firestore writes", again.writes, 0, ""),
        Figure("unchanged user: resourceVersions and update times that move", moved, 0, ""),
        Figure("echo of a status: requests of either kind", echo.requests + echo.reads + echo.writes, 0, ""),
        Figure("a stop: API-server requests", stop.requests, 14, "", "each object is read, then deleted as read"),
    ]


def _crowds(bench: Bench) -> list[Figure]:
    figures, first = [], None
    for crowd in CROWDS:
        _fill(bench, crowd)
        bench.rest()
        cpu, writes = bench.served()
        began = time.perf_counter()
        with bench.counting() as counted:
            for number in range(STARTS):
                bench.start(f"start-{crowd}-{number}")
        took = time.perf_counter() - began
        bench.rest()
        after_cpu, after_writes = bench.served()
        each = (after_cpu - cpu) / STARTS * 1000
        first = first or each
        details = (
            f"{counted.requests / STARTS:.1f} requests, {(after_writes - writes) / STARTS:.1f} writes of the server, "
            f"{each:.0f} ms of its CPU for each; {STARTS / took:.1f} starts/s"
        )
        figures.append(
            Figure(f"a start among {crowd}: CPU of the API server / among 100", each / first, 1.1, "", details)
        )
    return figures


def _fill(bench: Bench, crowd: int) -> None:
    there = sum(1 for _ in bench.documents.select([]).stream())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bench.start, (f"crowd-{number}" for number in range(there, crowd))))


def _until_the_scheduler_has_spoken(bench: Bench) -> None:
    """Look until it has said that there is no node, which is news for the status."""
    while bench.status("counted")["reason"] != "WaitingForNode":
        time.sleep(0.2)
        bench.look("counted")


def _shared(reconciler: Reconciler) -> Reconciler:
    return replace(reconciler, settings=reconciler.settings.model_copy(update={"agent": "shared"}))


def _api(kind: type[Any], kubeconfig: Path) -> Any:
    configuration = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    return kind(configuration)


def _versions(bench: Bench) -> dict[str, str]:
    """Of Secrets, Services and ServiceAccounts; of Deployments the generation, for their status moves by itself."""
    return {
        f"{obj['kind']} {obj['metadata']['name']}": str(obj["metadata"].get("generation"))
        if obj["kind"] == "Deployment"
        else obj["metadata"]["resourceVersion"]
        for obj in bench.reconciler.cluster.of_name(base_name("counted@example.com"))
    }


def _event(old: firestore.DocumentSnapshot, new: firestore.DocumentSnapshot) -> bytes:
    event = DocumentEventData.pb(DocumentEventData())
    for target, snapshot in ((event.old_value, old), (event.value, new)):
        # The two packages have classes of their own for one wire format.
        encoded = Document(name=snapshot.reference.path, fields=encode_dict(snapshot.to_dict()))
        target.ParseFromString(Document.serialize(encoded))
    return bytes(event.SerializeToString())
