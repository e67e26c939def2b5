"""Disks become bigger where Kubernetes lets them, and no refusal keeps a notebook from starting."""

from cluster.controller.alone import Alone
from cluster.controller.system import Person, System, somebody


def size(alone: Alone, person: Person) -> str:
    """What the person's claim asks for."""
    claim = alone.objects(person)[f"PersistentVolumeClaim home-{person.name}"]
    return str(claim["spec"]["resources"]["requests"]["storage"])


def grow(alone: Alone, person: Person) -> None:
    """The settings double the disks, and somebody is looked at."""
    profile = alone.settings.profiles["default"]
    bigger = profile.model_copy(update={"storage": profile.storage.model_copy(update={"size": "20Gi"})})
    alone.settings = alone.settings.model_copy(update={"profiles": {"default": bigger}})
    assert alone.look(person.user).phase == "Provisioning"


def enrol(alone: Alone) -> Person:
    person = somebody()
    alone.set(person.user, email=person.email)
    return person


def provide(system: System, alone: Alone, person: Person) -> None:
    """Say that the claim has its disk, as a provisioner does; there is none here."""
    path = f"api/v1/namespaces/{alone.namespace}/persistentvolumeclaims/home-{person.name}/status"
    named = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": f"home-{person.name}"}}
    system.kube.apply(path, {**named, "status": {"phase": "Bound"}})


def test_a_disk_grows(alone: Alone, system: System) -> None:
    person = enrol(alone)
    alone.look(person.user)
    provide(system, alone, person)

    grow(alone, person)

    assert size(alone, person) == "20Gi"


def test_a_claim_without_a_disk_yet_stays_as_it_is(alone: Alone) -> None:
    person = enrol(alone)
    alone.look(person.user)

    grow(alone, person)

    assert size(alone, person) == "10Gi"


def test_a_disk_that_its_class_makes_no_bigger_stays_as_it_is(alone: Alone, system: System) -> None:
    fixed = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fixed"}}
    system.kube.apply("apis/storage.k8s.io/v1/storageclasses/fixed", {**fixed, "provisioner": "example.com/none"})
    person = enrol(alone)
    claim = f"api/v1/namespaces/{alone.namespace}/persistentvolumeclaims/home-{person.name}"
    labels = {"app.kubernetes.io/managed-by": "kupyterhub", "app.kubernetes.io/instance": person.name}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
        "storageClassName": "fixed",
    }
    metadata = {"name": f"home-{person.name}", "labels": labels}
    system.kube.apply(
        claim, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    )
    provide(system, alone, person)
    alone.look(person.user)

    grow(alone, person)

    assert size(alone, person) == "10Gi"
