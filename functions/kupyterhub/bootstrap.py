"""The only wiring: settings are read and clients made on the first event, once in an instance."""

import logging
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from google.cloud import firestore, pubsub_v1
from kubernetes.client import ApiClient

from kupyterhub import settings as files
from kupyterhub.adapters import cluster, folders, gke
from kupyterhub.adapters.bus import Bus
from kupyterhub.adapters.user_store import UserStore
from kupyterhub.domain.errors import SettingsError
from kupyterhub.domain.settings import Settings
from kupyterhub.reconcile import Reconciler
from kupyterhub.removal import Removal
from kupyterhub.reporting import json_lines, telemetry
from kupyterhub.reporting.reporter import Reporter
from kupyterhub.resync import Resync


@cache
def reconciler() -> Reconciler:
    """Make this instance's reconciler; raises SettingsError."""
    settings = files.load(_file("KUPYTERHUB_SETTINGS"))
    store = firestore.Client()
    return Reconciler(
        users=UserStore(store),
        cluster=cluster.Cluster(_api(settings), settings.namespace),
        bus=Bus(pubsub_v1.PublisherClient(), store.project),
        settings=settings,
        master_secret=files.load_master_secret(_file("KUPYTERHUB_MASTER_SECRET_FILE")),
        clock=lambda: datetime.now(UTC),
        folders=folders.Folders(folders.connect(), settings) if settings.bucket.name else None,
    )


def removal() -> Removal:
    """Make what carries out `delete-user`."""
    return Removal(reconciler())


def resync() -> Resync:
    """Make what carries out `resync`."""
    return Resync(reconciler())


@cache
def reporter() -> Reporter:
    """Make what says of each event what came of it: a line on standard error, and a span where one is wanted."""
    logging.basicConfig(level=logging.WARNING, handlers=[json_lines.handler()])
    log = logging.getLogger(json_lines.OURS)
    log.setLevel(logging.INFO)
    return Reporter(log, telemetry.of_environment(os.environ), os.environ.get("GOOGLE_CLOUD_PROJECT"))


def _api(settings: Settings) -> ApiClient:
    return cluster.connect(gke.of_gke(settings.clusters[0]) if settings.clusters else cluster.of_kubeconfig())


def _file(variable: str) -> Path:
    if path := os.environ.get(variable):
        return Path(path)
    raise SettingsError(f"the environment variable {variable} is not set; it names a file")
