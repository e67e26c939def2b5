"""Applies YAML manifests as `kubectl apply --server-side` does; who starts the system may have no kubectl."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from kupyterhub_local.control_plane.api import Api

MANAGER = "kupyterhub-local"


def read(folders: Iterable[Path]) -> list[Any]:
    """Read all manifests of the `*.yaml` directly in `folders`, in the order of their names."""
    files = (file for folder in folders for file in sorted(folder.glob("*.yaml")))
    return [manifest for file in files for manifest in yaml.safe_load_all(file.read_text()) if manifest]


async def apply(api: Api, manifests: Sequence[Any]) -> None:
    """Apply namespaces, then the rest; raises ApiError."""
    resources = await _resources(api, {manifest["apiVersion"] for manifest in manifests})
    namespaces = [manifest for manifest in manifests if manifest["kind"] == "Namespace"]
    others = [manifest for manifest in manifests if manifest["kind"] != "Namespace"]
    for batch in (namespaces, others):
        await asyncio.gather(*(api.apply(path(resources, manifest), manifest, MANAGER) for manifest in batch))


def path(resources: dict[tuple[str, str], tuple[str, bool]], manifest: Any) -> str:
    """Return an object's path; `resources` has plural and whether it is namespaced, by version and kind."""
    version, metadata = manifest["apiVersion"], manifest["metadata"]
    plural, namespaced = resources[version, manifest["kind"]]
    namespace = f"/namespaces/{metadata['namespace']}" if namespaced else ""
    return f"{_group(version)}{namespace}/{plural}/{metadata['name']}"


async def _resources(api: Api, versions: Iterable[str]) -> dict[tuple[str, str], tuple[str, bool]]:
    async def of(version: str) -> dict[tuple[str, str], tuple[str, bool]]:
        listed = await api.get(_group(version))
        return {
            (version, resource["kind"]): (resource["name"], resource["namespaced"])
            for resource in listed["resources"]
            if "/" not in resource["name"]  # no subresources
        }

    found = await asyncio.gather(*map(of, versions))
    return {key: value for resources in found for key, value in resources.items()}


def _group(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
