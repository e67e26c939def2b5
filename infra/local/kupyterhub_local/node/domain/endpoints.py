"""Which pods stand behind a Service, and what addresses a Service listens on. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from .manifests import Manifest, condition_is_true


@dataclass(frozen=True)
class Listen:
    """One port of one Service on its ClusterIP."""

    address: str
    port: int
    service_uid: str


def listens(services: Iterable[Manifest]) -> dict[Listen, Manifest]:
    """Return all TCP ports to listen on, each with its Service's manifest; only loopback ClusterIPs count."""
    return {
        Listen(service["spec"]["clusterIP"], port["port"], service["metadata"]["uid"]): service
        for service in services
        if _is_loopback(service["spec"].get("clusterIP", ""))
        for port in service["spec"].get("ports", [])
        if port.get("protocol", "TCP") == "TCP"
    }


def targets(service: Manifest, port: int, pods: Iterable[Manifest]) -> list[tuple[str, int]]:
    """Return address and port of each pod that takes connections to the Service's `port` now."""
    target = next(each.get("targetPort", port) for each in service["spec"]["ports"] if each["port"] == port)
    found = (
        (pod["status"]["podIP"], _number(target, pod))
        for pod in pods
        if _is_behind(service, pod) and pod["status"].get("podIP")
    )
    return [(address, number) for address, number in found if number is not None]


def _is_behind(service: Manifest, pod: Manifest) -> bool:
    selector, labels = service["spec"].get("selector") or {}, pod["metadata"].get("labels", {})
    if not selector or pod["metadata"]["namespace"] != service["metadata"]["namespace"]:
        return False
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    if service["spec"].get("publishNotReadyAddresses"):
        return pod.get("status", {}).get("phase") in ("Pending", "Running")
    return condition_is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]


def _number(target: int | str, pod: Manifest) -> int | None:
    if isinstance(target, int):
        return target
    declared = (port for container in pod["spec"]["containers"] for port in container.get("ports", []))
    return next((int(port["containerPort"]) for port in declared if port.get("name") == target), None)


def _is_loopback(address: str) -> bool:
    return address not in ("", "None") and ip_address(address).is_loopback
