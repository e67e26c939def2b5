"""Disks of a cluster that was taken down, given to a new one."""

import json
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from kupyterhub.domain.labels import of_name
from terraform import scripts
from terraform.roots import ROOTS

NAME = "ada-example-com-0123456789abcdef"


@pytest.fixture(scope="module")
def adopt() -> ModuleType:
    return scripts.load("infra/gcp/adopt_disks.py")


def _disk(name: str = "pvc-1") -> dict[str, Any]:
    return {
        "name": name,
        "sizeGb": "10",
        "zone": "https://www.googleapis.com/compute/v1/projects/my-project/zones/europe-west1-b",
        "selfLink": f"https://www.googleapis.com/compute/v1/projects/my-project/zones/europe-west1-b/disks/{name}",
        "description": json.dumps(
            {
                "kubernetes.io/created-for/pv/name": name,
                "kubernetes.io/created-for/pvc/name": f"home-{NAME}",
                "kubernetes.io/created-for/pvc/namespace": "kupyterhub",
                "storage.gke.io/created-by": "pd.csi.storage.gke.io",
            }
        ),
    }


def test_a_claim_finds_its_old_disk(adopt: ModuleType) -> None:
    volume, claim = adopt.manifests([_disk()])
    assert volume["spec"]["csi"]["volumeHandle"] == "projects/my-project/zones/europe-west1-b/disks/pvc-1"
    assert volume["spec"]["claimRef"] == {"namespace": "kupyterhub", "name": f"home-{NAME}"}
    assert claim["metadata"]["name"] == f"home-{NAME}"
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"] == "pvc-1"


def test_pods_are_scheduled_where_the_disk_is(adopt: ModuleType) -> None:
    volume, _ = adopt.manifests([_disk()])
    terms = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["europe-west1-b"]


def test_the_controller_finds_the_claim_and_no_sweep_takes_it(adopt: ModuleType) -> None:
    _, claim = adopt.manifests([_disk()])
    labels = claim["metadata"]["labels"]
    assert set(of_name(NAME).split(",")) <= {f"{key}={value}" for key, value in labels.items()}
    assert labels["kupyterhub/keep"] == "true"


def test_two_disks_of_one_claim_are_for_a_person_to_choose_from(adopt: ModuleType) -> None:
    with pytest.raises(adopt.TwoDisks, match="pvc-1 and pvc-2 were both made for home-ada"):
        list(adopt.manifests([_disk("pvc-1"), _disk("pvc-2")]))


def test_it_reads_what_gcloud_writes_and_writes_what_kubectl_reads() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOTS / "adopt_disks.py")],
        input=json.dumps([_disk()]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [item["kind"] for item in json.loads(done.stdout)["items"]] == [
        "PersistentVolume",
        "PersistentVolumeClaim",
    ]
