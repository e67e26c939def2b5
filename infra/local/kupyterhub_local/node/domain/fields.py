"""What a pod may read about itself: the downward API's `fieldRef` and `resourceFieldRef`. Pure."""

import math
import re

from .manifests import ConfigError, Manifest
from .quantities import parse_quantity

_MAP_ENTRY = re.compile(r"^metadata\.(labels|annotations)\['([^']+)'\]$")
HOST_IP = "127.0.0.1"


def field_value(pod: Manifest, path: str, pod_ip: str) -> str:
    """Return the text of the field at `path`.

    Raises ConfigError for a path that the downward API does not offer.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    entry = _MAP_ENTRY.match(path)
    if entry is not None:
        return str(metadata.get(entry[1], {}).get(entry[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        return _as_lines(metadata.get(path.removeprefix("metadata."), {}))
    fields = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
        "status.hostIP": HOST_IP,
        "status.hostIPs": HOST_IP,
    }
    if path not in fields:
        raise ConfigError(f"fieldPath {path!r} is not offered: use one of {', '.join(sorted(fields))}")
    return str(fields[path])


def resource_value(pod: Manifest, container_name: str, reference: Manifest) -> str:
    """Return a container's request or limit in units of the divisor, rounded up; unset is 0.

    Raises ConfigError when there is no such container or a quantity cannot be read.
    """
    wanted = reference.get("containerName", container_name)
    containers = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    container = next((each for each in containers if each["name"] == wanted), None)
    if container is None:
        raise ConfigError(f"resourceFieldRef names the container {wanted!r}, which this pod does not have")
    kind, _, resource = reference["resource"].partition(".")
    amount = container.get("resources", {}).get(kind, {}).get(resource, "0")
    divisor = reference.get("divisor", "1")
    try:
        return str(math.ceil(parse_quantity(amount) / (parse_quantity(divisor) or 1)))
    except ValueError as error:
        raise ConfigError(f"resourceFieldRef {reference['resource']}: {error}") from error


def _as_lines(entries: dict[str, str]) -> str:
    """Labels and annotations in a file: one `key="value"` a line, as a kubelet writes them."""
    quoted = (
        (key, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for key, value in entries.items()
    )
    return "\n".join(f'{key}="{value}"' for key, value in sorted(quoted))
