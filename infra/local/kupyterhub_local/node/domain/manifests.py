"""Words that the node's modules share about Kubernetes objects. Pure."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

Manifest = dict[str, Any]
"""An object as the API server sends it: plain JSON."""


class ConfigError(Exception):
    """A pod that cannot be started as it and what it refers to are; the text is for people."""


class Reference(NamedTuple):
    """A Secret or ConfigMap in the pod's namespace."""

    kind: str
    """`secrets` or `configmaps`, as in the API's paths."""
    name: str

    def __str__(self) -> str:
        return f"{'Secret' if self.kind == 'secrets' else 'ConfigMap'} {self.name!r}"


def timestamp(moment: datetime) -> str:
    """Return a time as Kubernetes writes `metav1.Time`: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Return the time that a `metav1.Time` means."""
    return datetime.fromisoformat(text)


def condition_is_true(manifest: Manifest, kind: str) -> bool:
    """Say whether the object's status has this condition with status True."""
    conditions = manifest.get("status", {}).get("conditions") or []
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
