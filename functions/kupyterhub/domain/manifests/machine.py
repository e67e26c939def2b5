"""What a notebook asks of the machine that it runs on: its share, accelerators, and a sandbox around it."""

from typing import Any

from kupyterhub.domain.settings import Profile

_GPU = "nvidia.com/gpu"
"""The resource, and the taint that GKE puts on nodes that have it.

https://cloud.google.com/kubernetes-engine/docs/how-to/gpus
"""
_SANDBOX = "sandbox.gke.io/runtime"
"""The taint of nodes with GKE Sandbox: https://cloud.google.com/kubernetes-engine/docs/how-to/sandbox-pods"""


def resources(profile: Profile) -> dict[str, str]:
    """What the container asks for, and may use: the same, so that no notebook lives on what another was promised.

    Autopilot makes them the same in any case, but where pods may burst.
    https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-resource-requests#resource-limits
    """
    share = {"cpu": profile.cpu, "memory": profile.memory, "ephemeral-storage": profile.ephemeral_storage}
    return {**share, _GPU: str(profile.gpu.count)} if profile.gpu.count else share


def machine(profile: Profile) -> dict[str, Any]:
    """`spec` fields of the pod that choose its node; none where any will do."""
    found: dict[str, Any] = {}
    tolerations: list[dict[str, str]] = []
    if profile.sandbox:
        found["runtimeClassName"] = profile.sandbox
        tolerations.append({"key": _SANDBOX, "operator": "Equal", "value": profile.sandbox, "effect": "NoSchedule"})
    if profile.gpu.count:
        tolerations.append({"key": _GPU, "operator": "Exists", "effect": "NoSchedule"})
    if profile.gpu.type:
        found["nodeSelector"] = {"cloud.google.com/gke-accelerator": profile.gpu.type}
    return {**found, "tolerations": tolerations} if tolerations else found
