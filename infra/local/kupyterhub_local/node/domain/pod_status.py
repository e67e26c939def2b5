"""A pod's status out of its containers' states, by the rules of a kubelet. Pure: the time is handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .container_status import ContainerStatus, Running, Terminated, Waiting
from .fields import HOST_IP
from .manifests import Manifest, timestamp

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]
Value = tuple[str, str, str]
"""A condition's status, reason and message."""
FINISHED: frozenset[Phase] = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class PodState:
    """What the node knows about a pod beside its manifest."""

    statuses: Mapping[str, ContainerStatus]
    """By container name, init containers among them."""
    pod_ip: str
    started_at: datetime


def restarts_after(policy: str, exit_code: int) -> bool:
    """Say whether a container that ended so is started again."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def pod_status(pod: Manifest, state: PodState, previous: Manifest, now: datetime) -> Manifest:
    """Return the status to write; transition times and foreign conditions of `previous` stay.

    Fields that are not the node's (qosClass) are left out.
    """
    spec, uid = pod["spec"], pod["metadata"]["uid"]
    inits, containers = spec.get("initContainers", []), spec["containers"]
    before: Phase = previous.get("phase", "Pending")
    phase = before if before in FINISHED else _phase(spec, state.statuses)
    status: Manifest = {
        "phase": phase,
        "conditions": _conditions(spec, state.statuses, phase, previous, now),
        "hostIP": HOST_IP,
        "hostIPs": [{"ip": HOST_IP}],
        "podIP": state.pod_ip,
        "podIPs": [{"ip": state.pod_ip}],
        "startTime": timestamp(state.started_at),
        "containerStatuses": [state.statuses[each["name"]].manifest(each, uid) for each in containers],
    }
    if inits:
        status["initContainerStatuses"] = [_init_entry(state.statuses[each["name"]], each, uid) for each in inits]
    return status


def _phase(spec: Manifest, statuses: Mapping[str, ContainerStatus]) -> Phase:
    policy = spec.get("restartPolicy", "Always")
    for container in spec.get("initContainers", []):
        state = statuses[container["name"]].state
        if _failed_for_good(state, policy):
            return "Failed"
        if not _succeeded(state):
            return "Pending"
    each = [statuses[container["name"]] for container in spec["containers"]]
    if any(isinstance(status.state, Waiting) and status.last is None for status in each):
        return "Pending"
    if any(isinstance(status.state, Running) for status in each):
        return "Running"
    codes = [status.state.exit_code for status in each if isinstance(status.state, Terminated)]
    if len(codes) < len(each) or any(restarts_after(policy, code) for code in codes):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def _conditions(
    spec: Manifest, statuses: Mapping[str, ContainerStatus], phase: Phase, previous: Manifest, now: datetime
) -> list[Manifest]:
    waiting_inits = [
        each["name"] for each in spec.get("initContainers", []) if not _succeeded(statuses[each["name"]].state)
    ]
    unready = [each["name"] for each in spec["containers"] if not statuses[each["name"]].ready]
    if phase in FINISHED:
        ready = ("False", "PodCompleted" if phase == "Succeeded" else "PodFailed", "")
    else:
        ready = _all("ContainersNotReady", "containers with unready status", unready)
    ours = {
        "PodScheduled": ("True", "", ""),
        "Initialized": _all("ContainersNotInitialized", "containers with incomplete status", waiting_inits),
        "ContainersReady": ready,
        "Ready": _gated(spec, ready, previous),
    }
    before = {each["type"]: each for each in previous.get("conditions") or []}
    written = [_condition(kind, value, before.get(kind), now) for kind, value in ours.items()]
    return written + [each for kind, each in before.items() if kind not in ours]


def _gated(spec: Manifest, ready: Value, previous: Manifest) -> Value:
    true = {each["type"] for each in previous.get("conditions") or [] if each["status"] == "True"}
    closed = [gate["conditionType"] for gate in spec.get("readinessGates", []) if gate["conditionType"] not in true]
    if ready[0] == "True" and closed:
        return ("False", "ReadinessGatesNotReady", f"conditions that are not True: [{' '.join(closed)}]")
    return ready


def _all(reason: str, text: str, names: Sequence[str]) -> Value:
    return ("False", reason, f"{text}: [{' '.join(names)}]") if names else ("True", "", "")


def _condition(kind: str, value: Value, before: Manifest | None, now: datetime) -> Manifest:
    status, reason, message = value
    same = before is not None and before["status"] == status
    changed_at = before.get("lastTransitionTime") if same and before else None
    condition = {"type": kind, "status": status, "lastTransitionTime": changed_at or timestamp(now)}
    return condition | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def _init_entry(status: ContainerStatus, container: Manifest, uid: str) -> Manifest:
    return status.manifest(container, uid) | {"ready": _succeeded(status.state)}


def _succeeded(state: object) -> bool:
    return isinstance(state, Terminated) and state.exit_code == 0


def _failed_for_good(state: object, policy: str) -> bool:
    return isinstance(state, Terminated) and state.exit_code != 0 and policy == "Never"
