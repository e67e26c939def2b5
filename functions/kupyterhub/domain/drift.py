"""Whether others have changed what the controller stated, by an object's `metadata.managedFields` alone.

Kubernetes keeps there who owns which field. Somebody else who sets one to another value takes it from its owner, and
who removes one leaves it to nobody: either way it is missing among the fields of `kupyterhub`.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Mapping
from typing import Any

from kupyterhub.domain.labels import MANAGER

_NO_FIELDS = ("apiVersion", "kind")
_OF_ENTRIES = ("annotations", "data", "labels", "limits", "requests")
"""Maps whose entries have owners: without one, only the map itself is owned. Others may be owned as a whole."""
_NAMES = ("name", "uid", "resourceVersion", "namespace")


def owned(metadata: Mapping[str, Any]) -> str:
    """The fields that the controller owns of an object, as text: the same for all objects of one shape."""
    fields: dict[str, Any] = {}
    for entry in metadata.get("managedFields", []):
        if entry.get("manager") == MANAGER and not entry.get("subresource"):
            fields = merged(fields, entry.get("fieldsV1", {}))
    return json.dumps(fields, sort_keys=True)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The union of two sets of fields."""
    result = dict(one)
    for key, value in other.items():
        result[key] = merged(result[key], value) if key in result else value
    return result


def covers(fields: str, manifest: Mapping[str, Any]) -> bool:
    """Whether all fields that a manifest states are among those that are owned."""
    stated = {key: value for key, value in manifest.items() if key not in _NO_FIELDS}
    stated["metadata"] = {key: value for key, value in manifest["metadata"].items() if key not in _NAMES}
    return _covers(json.loads(fields), stated)


def _covers(fields: Mapping[str, Any], stated: Any) -> bool:
    if not fields:
        return True  # owned as a whole
    if isinstance(stated, Mapping):
        return all(_covers_field(key, fields.get(f"f:{key}"), value) for key, value in stated.items())
    if isinstance(stated, list | tuple):
        elements = {key: value for key, value in fields.items() if key[:2] in ("k:", "v:")}
        return all(_covers_element(elements, element) for element in stated) if elements else True
    return True


def _covers_field(key: str, fields: Mapping[str, Any] | None, value: Any) -> bool:
    if fields is None or (not fields and value and key in _OF_ENTRIES):
        return False
    return _covers(fields, value)


def _covers_element(elements: Mapping[str, Any], element: Any) -> bool:
    if not isinstance(element, Mapping):
        return f"v:{json.dumps(element)}" in elements
    for key, fields in elements.items():
        identity = json.loads(key[2:])
        if all(element.get(name, value) == value for name, value in identity.items()):
            return _covers(fields, element)
    return False
