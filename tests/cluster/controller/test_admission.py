"""Every object of every kind of profile is let into a namespace that enforces the `restricted` standard."""

from copy import deepcopy
from typing import Any

import pytest

from cluster.controller.alone import Alone
from cluster.controller.kube import KINDS, Kube, Object, plural
from cluster.controller.system import System, somebody, until
from kupyterhub.adapters.folders import Folders
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.manifests import shared_agent
from kupyterhub.domain.settings import Profile, Settings
from twins.storage_api import CONTROLLER, StorageApi
from twins.world import IN_BUCKET

SHARED_FOLDERS = [{"name": "course"}, {"name": "team", "access": "write"}]
PROFILES: dict[str, dict[str, Any]] = {
    "default": {},
    "bucket": {"storage": {"kind": "gcs"}},
    "shared": {"storage": {"kind": "gcs"}, "sharedFolders": SHARED_FOLDERS},
    "gpu": {"gpu": {"count": 2, "type": "nvidia-l4"}},
    "sandbox": {"sandbox": "gvisor"},
    "closed": {"egress": "none"},
    "everything": {
        "cpu": "1.5",
        "memory": "4Gi",
        "ephemeralStorage": "8Gi",
        "storage": {"kind": "gcs"},
        "sharedFolders": SHARED_FOLDERS,
        "gpu": {"count": 1, "type": "nvidia-l4"},
        "sandbox": "gvisor",
        "egress": "none",
        "idleTimeout": "1h",
        "maxAge": "7d",
    },
}
# As GKE makes it for a cluster with GKE Sandbox.
GVISOR = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "gvisor"},
    "handler": "gvisor",
    "scheduling": {
        "nodeSelector": {"sandbox.gke.io/runtime": "gvisor"},
        "tolerations": [
            {"key": "sandbox.gke.io/runtime", "operator": "Equal", "value": "gvisor", "effect": "NoSchedule"}
        ],
    },
}


@pytest.fixture
def everybody(alone: Alone, system: System) -> Alone:
    """A controller whose settings have a profile of every kind."""
    system.kube.apply("apis/node.k8s.io/v1/runtimeclasses/gvisor", GVISOR)
    alone.settings = settings(alone.namespace)
    alone.folders = Folders(StorageApi().session(CONTROLLER), alone.settings)
    return alone


def settings(namespace: str, **other: Any) -> Settings:
    profiles = {name: Profile.model_validate(profile) for name, profile in PROFILES.items()}
    return IN_BUCKET.model_copy(update={"namespace": namespace, "profiles": profiles, **other})


def refusals(kube: Kube, namespace: str, objects: list[Object]) -> list[str]:
    """Why objects, made as they are or as pods of their templates, would not be let in."""
    found = []
    for obj in map(bare, objects):
        found.append(kube.dry_run(KINDS[obj["kind"]], plural(obj["kind"]), obj, namespace))
        if template := obj["spec"].get("template") if obj["kind"] == "Deployment" else None:
            metadata = {**template["metadata"], "name": "try"}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
            found.append(kube.dry_run("api/v1", "pods", pod, namespace))
    return [each for each in found if each]


def bare(obj: Object) -> Object:
    """An object as it could be made anew, under another name."""
    metadata = {key: obj["metadata"][key] for key in ("labels", "annotations") if key in obj["metadata"]}
    named = {"apiVersion": obj["apiVersion"], **deepcopy(obj), "metadata": {**metadata, "name": "try"}}
    named.pop("status", None)
    if obj["kind"] == "Service":
        for given in ("clusterIP", "clusterIPs"):
            named["spec"].pop(given, None)
    return named


@pytest.mark.parametrize("proxy", ["self-hosted", "hosted"])
def test_all_that_the_controller_makes_is_let_in_and_so_are_its_pods(
    everybody: Alone, system: System, proxy: str
) -> None:
    everybody.settings = settings(everybody.namespace, proxy=proxy)
    people = {profile: somebody() for profile in PROFILES}
    for profile, person in people.items():
        everybody.set(person.user, email=person.email, profile=profile)
        everybody.look(person.user)

    for person in people.values():
        pods = until(
            lambda name=person.name: (
                found if len(found := system.kube.pods(name, everybody.namespace)) == 2 else None
            ),
            f"two pods of {person.name} are made",
        )
        assert {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods} == {"jupyterlab", "agent"}
    events = system.kube.items("api/v1", "events", everybody.namespace)
    assert [event["message"] for event in events if event["reason"] == "FailedCreate"] == []


def test_each_object_passes_a_dry_run_with_strict_fields(everybody: Alone, system: System) -> None:
    for profile in PROFILES:
        person = somebody()
        everybody.set(person.user, email=person.email, profile=profile)
        everybody.look(person.user)
        objects = [{**obj, "kind": key.split()[0]} for key, obj in everybody.objects(person).items()]
        for obj in objects:
            obj["apiVersion"] = KINDS[obj["kind"]].removeprefix("apis/").removeprefix("api/")

        assert refusals(system.kube, everybody.namespace, objects) == []


def test_the_shared_agent_is_let_in(everybody: Alone, system: System) -> None:
    account = {**shared_agent.account(), "apiVersion": "v1"}
    path = f"api/v1/namespaces/{everybody.namespace}/serviceaccounts/{shared_agent.NAME}"
    system.kube.apply(path, account)
    for proxy in ("self-hosted", "hosted"):
        chosen = settings(everybody.namespace, proxy=proxy, agent="shared")
        made = shared_agent.deployment(Installation(chosen, b"k" * 32, "projects/p/topics/agent-events"))

        assert refusals(system.kube, everybody.namespace, [account, made]) == []


SIDECAR = {
    "name": "gke-gcsfuse-sidecar",
    "image": "registry.example/sidecar",
    "restartPolicy": "Always",
    # With a limit of zero, which its annotations can ask for, there is none.
    "resources": {"requests": {"cpu": "250m", "memory": "256Mi", "ephemeral-storage": "5Gi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsGroup": 65534,
        "runAsNonRoot": True,
        "runAsUser": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
"""As GKE adds it (gcs-fuse-csi-driver, pkg/webhook/sidecar_spec.go)."""


def test_a_pod_to_which_gke_has_added_a_sidecar_without_limits_is_let_in(everybody: Alone, system: System) -> None:
    person = somebody()
    everybody.set(person.user, email=person.email, profile="shared")
    everybody.look(person.user)
    deployment = everybody.objects(person)[f"Deployment jupyterlab-{person.name}"]
    deployment |= {"apiVersion": "apps/v1", "kind": "Deployment"}
    deployment["spec"]["template"]["spec"]["initContainers"] = [SIDECAR]

    assert refusals(system.kube, everybody.namespace, [deployment]) == []


def test_agents_are_above_notebooks(everybody: Alone, system: System) -> None:
    person = somebody()
    everybody.set(person.user, email=person.email)
    everybody.look(person.user)

    pods = until(
        lambda: found if len(found := system.kube.pods(person.name, everybody.namespace)) == 2 else None,
        "two pods are made",
    )
    priorities = {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["spec"]["priority"] for pod in pods}
    assert priorities["agent"] > priorities["jupyterlab"] == 0


def test_the_standard_is_enforced_here(everybody: Alone, system: System) -> None:
    person = somebody()
    everybody.set(person.user, email=person.email)
    everybody.look(person.user)
    deployment = everybody.objects(person)[f"Deployment jupyterlab-{person.name}"]
    deployment |= {"apiVersion": "apps/v1", "kind": "Deployment"}
    deployment["spec"]["template"]["spec"]["hostNetwork"] = True

    (refusal,) = refusals(system.kube, everybody.namespace, [deployment])
    assert "violates PodSecurity" in refusal
