"""A user's notebooks on disk: made when the user first runs, and gone only by `purge`."""

from typing import Any

from kupyterhub.domain.labels import KEEP, metadata
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.users import UserDocument

PREFIX = "home"
STORAGE_CLASS = "kupyterhub"
"""infra/cluster/ makes it on GKE, infra/local/ on one machine."""


def claim(user: UserDocument, wanted: Wanted) -> dict[str, Any]:
    """PersistentVolumeClaim `home-<name>`: it belongs to the e-mail, not to the document."""
    meta = metadata(PREFIX, "storage", user, wanted.email, wanted.name)
    meta["labels"] |= {KEEP: "true"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": STORAGE_CLASS,
            "resources": {"requests": {"storage": wanted.profile.storage.size}},
        },
    }
