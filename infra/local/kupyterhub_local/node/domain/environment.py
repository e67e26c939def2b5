"""A container's environment and command line out of its manifest. Pure: what it refers to is handed in."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .expansion import expand
from .fields import field_value, resource_value
from .manifests import ConfigError, Manifest, Reference

Objects = Mapping[Reference, Manifest | None]
"""What was found for each Secret and ConfigMap that is referred to; None: there is none of that name."""


@dataclass(frozen=True)
class Invocation:
    """What is executed."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


def references(container: Manifest) -> frozenset[Reference]:
    """Return the Secrets and ConfigMaps that the container's environment is taken from."""
    return frozenset(
        reference
        for entry in [
            *container.get("envFrom", []),
            *(each.get("valueFrom", {}) for each in container.get("env", [])),
        ]
        for reference, _ in _sources(entry)
    )


def invocation(
    container: Manifest, pod: Manifest, pod_ip: str, objects: Objects, base: Mapping[str, str]
) -> Invocation:
    """Return the container's command line and environment; `base` lies below the container's own variables.

    Raises ConfigError when something that is referred to is missing, or there is no explicit command.
    """
    if not container.get("command"):
        raise ConfigError(f"container {container['name']!r} has no command: this node runs no images, so state one")
    variables = dict(base)
    for source in container.get("envFrom", []):
        for reference, selector in _sources(source):
            found = _entries(reference, objects, optional=selector.get("optional", False))
            variables.update({source.get("prefix", "") + key: text for key, text in found.items()})
    for entry in container.get("env", []):
        if "valueFrom" not in entry:
            variables[entry["name"]] = expand(entry.get("value", ""), variables)
            continue
        value = _value_from(entry["valueFrom"], container, pod, pod_ip, objects)
        if value is not None:
            variables[entry["name"]] = value
    words = [*container["command"], *container.get("args", [])]
    return Invocation(tuple(expand(word, variables) for word in words), variables)


def decoded(reference: Reference, manifest: Manifest) -> dict[str, bytes]:
    """Return the keys of a Secret or ConfigMap with their bytes."""
    if reference.kind == "secrets":
        return {key: base64.b64decode(text) for key, text in (manifest.get("data") or {}).items()}
    texts = {key: text.encode() for key, text in (manifest.get("data") or {}).items()}
    return texts | {key: base64.b64decode(text) for key, text in (manifest.get("binaryData") or {}).items()}


def _sources(entry: Manifest) -> Iterator[tuple[Reference, Manifest]]:
    for kind, fields in (
        ("secrets", ("secretRef", "secretKeyRef")),
        ("configmaps", ("configMapRef", "configMapKeyRef")),
    ):
        for field in fields:
            if field in entry:
                yield Reference(kind, entry[field]["name"]), entry[field]


def _entries(reference: Reference, objects: Objects, *, optional: bool) -> dict[str, str]:
    manifest = objects.get(reference)
    if manifest is None:
        if optional:
            return {}
        raise ConfigError(f"{reference} not found")
    return {key: raw.decode(errors="replace") for key, raw in decoded(reference, manifest).items()}


def _value_from(source: Manifest, container: Manifest, pod: Manifest, pod_ip: str, objects: Objects) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], pod_ip)
    if "resourceFieldRef" in source:
        return resource_value(pod, container["name"], source["resourceFieldRef"])
    for reference, selector in _sources(source):
        optional = selector.get("optional", False)
        entries = _entries(reference, objects, optional=optional)
        if selector["key"] in entries:
            return entries[selector["key"]]
        if not optional:
            raise ConfigError(f"couldn't find key {selector['key']!r} in {reference}")
        return None
    raise ConfigError(f"valueFrom with {', '.join(source) or 'nothing'} is not supported by this node")
