"""`resync all` of ten thousand people of whom nobody changed: how long it takes, how much memory, what it publishes.

The objects are made as the controller makes them, while Kubernetes' own controllers stand still: no pod is needed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from google.cloud import firestore, pubsub_v1
from kubernetes import client

import local_system
from bench.figures import Figure
from bench.looks import SETTINGS, _api
from kupyterhub.adapters.bus import Bus
from kupyterhub.adapters.cluster import Cluster
from kupyterhub.adapters.user_store import UserStore
from kupyterhub.domain.desired import desired
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.manifests.storage import claim
from kupyterhub.domain.phases import searched
from kupyterhub.domain.policy import Wanted, judge
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import Agent, Status, UserDocument, search_terms
from kupyterhub.reconcile import Reconciler
from kupyterhub.resync import Resync
from kupyterhub_local.users import PROJECT
from kupyterhub_rules.names import base_name

PEOPLE = int(os.environ.get("KUPYTERHUB_BENCH_PEOPLE", "10000"))
SECRET = b"of the benchmark, and nobody else's"
_BATCH = 500


def measure() -> list[Figure]:
    """Make everybody, then run it in a process of its own, whose memory is then known."""
    with tempfile.TemporaryDirectory() as folder, local_system.emulators(Path(folder) / "emulators") as emulators:
        environment = {
            "FIRESTORE_EMULATOR_HOST": emulators.firestore_host,
            "PUBSUB_EMULATOR_HOST": emulators.pubsub_host,
        }
        os.environ.update(environment)
        with local_system.control_plane(Path(folder) / "control-plane") as plane, _still(plane):
            _make(plane)
            command = [sys.executable, "-m", "bench.resync", str(plane.controller_kubeconfig)]
            said = subprocess.run(command, env=os.environ, check=True, capture_output=True, text=True).stdout
    found = json.loads(said.splitlines()[-1])
    return [
        Figure(f"resync of {PEOPLE:,} unchanged people, {2 * PEOPLE:,} Deployments", found["seconds"], 30, "s"),
        Figure("its memory, packages and all", found["mebibytes"], 256, "MiB"),
        Figure("what it publishes", found["asked"], 0, "", found["note"]),
    ]


def _run(kubeconfig: Path) -> None:
    """The process whose memory and time are measured."""
    store = firestore.Client(PROJECT)
    reconciler = Reconciler(
        users=UserStore(store),
        cluster=Cluster(_api(client.ApiClient, kubeconfig), "kupyterhub"),
        bus=Bus(pubsub_v1.PublisherClient(), PROJECT),
        settings=_settings(),
        master_secret=SECRET,
        clock=lambda: datetime.now(UTC),
    )
    begun = time.perf_counter()
    (outcome,) = Resync(reconciler).run("all")
    took = time.perf_counter() - begun
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asked = sum(1 for _ in store.collection("asked").select([]).stream())
    found = {"seconds": took, "mebibytes": kibibytes / 1024, "asked": asked, "note": outcome.note}
    sys.stdout.write(f"{json.dumps(found)}\n")


@contextmanager
def _still(plane: local_system.RunningControlPlane) -> Iterator[None]:
    pids = [plane.supervisor._children[name].process.pid for name in ("kube-controller-manager", "kube-scheduler")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _settings() -> Settings:
    return Settings.model_validate(yaml.safe_load(yaml.safe_dump(SETTINGS)))


def _make(plane: local_system.RunningControlPlane) -> None:
    installation = Installation(_settings(), SECRET, f"projects/{PROJECT}/topics/agent-events")
    api = _api(client.ApiClient, plane.admin_kubeconfig)
    cluster = Cluster(api, "kupyterhub")
    documents = [_document(f"user-{number}", installation) for number in range(PEOPLE)]
    store = firestore.Client(PROJECT)
    for first in range(0, PEOPLE, _BATCH // 2):
        batch = store.batch()
        for document in documents[first : first + _BATCH // 2]:
            batch.set(store.collection("users").document(document.id), document.fields)
            since = document.status.emailSince
            batch.set(store.document(f"names/{document.status.name}"), {"user": document.id, "since": since})
        batch.commit()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda document: _objects(document, installation, cluster, api), documents))


def _objects(document: UserDocument, installation: Installation, cluster: Cluster, api: Any) -> None:
    wanted = judge(document, installation.settings, datetime.now(UTC))
    assert isinstance(wanted, Wanted)
    plan = desired(document, wanted, None, installation)
    for manifest in (claim(document, wanted), *(piece.manifest for piece in plan.pieces), plan.notebook):
        cluster.create(manifest)
    available = {"status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1}}
    for prefix in ("jupyterlab", "agent"):
        path = f"/apis/apps/v1/namespaces/kupyterhub/deployments/{prefix}-{wanted.name}/status"
        headers = {"Content-Type": "application/merge-patch+json"}
        api.call_api(*api.param_serialize("PATCH", path, header_params=headers, body=available))


def _document(user: str, installation: Installation) -> UserDocument:
    email = f"{user}@example.com"
    since = datetime.now(UTC) - timedelta(hours=1)
    document = UserDocument(user, {"email": email}, since, datetime.now(UTC))
    url = f"http://{base_name(email)}.localhost:8000/"
    status = replace(
        Status(),
        phase="Ready",
        proxyUrl=url,
        name=base_name(email),
        email=email,
        observed=document.observed,
        emailSince=since,
        agent=Agent(url, "pod", since, since),
        startedAt=since,
        updatedAt=since,
        settings=installation.hash,
        terms=search_terms(*searched(document)),
    )
    return document.with_status(status)


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
