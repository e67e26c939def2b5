"""Which volumes are made and removed."""

from pathlib import PurePath
from typing import Any

import pytest

from kupyterhub_local.node.domain.provisioning import decide

STORAGE = PurePath("/s")


def claim(uid: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "home-a", "namespace": "kupyterhub", "uid": uid},
        "spec": {
            "storageClassName": "kupyterhub",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
        "status": {"phase": "Pending"},
    }


def volume(uid: str, phase: str) -> dict[str, Any]:
    (made,) = decide([claim(uid)], [], STORAGE).make
    return made | {"status": {"phase": phase}}


def test_a_pending_claim_gets_a_folder_of_its_name() -> None:
    (made,) = decide([claim("1")], [], STORAGE).make
    assert made["metadata"]["name"] == "pvc-1"
    assert made["spec"]["hostPath"] == {"path": "/s/kupyterhub/home-a", "type": "Directory"}
    assert made["spec"]["claimRef"]["uid"] == "1"
    assert made["spec"]["capacity"] == {"storage": "1Gi"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(claim("1", storageClassName="else"), id="another class"),
        pytest.param(claim("1", volumeName="pvc-1"), id="bound"),
        pytest.param(claim("1") | {"status": {"phase": "Lost"}}, id="lost"),
    ],
)
def test_other_claims_are_left_alone(other: dict[str, Any]) -> None:
    assert decide([other], [], STORAGE).make == []


def test_a_volume_is_made_once() -> None:
    assert decide([claim("1")], [volume("1", "Available")], STORAGE).make == []


def test_a_released_volume_goes_and_only_then_its_folder_is_given_again() -> None:
    old = volume("1", "Released")
    assert decide([claim("2")], [old], STORAGE).make == []
    assert decide([claim("2")], [old], STORAGE).remove == [old]
    assert [each["metadata"]["name"] for each in decide([claim("2")], [], STORAGE).make] == ["pvc-2"]


def test_volumes_of_others_are_never_removed() -> None:
    other = {"metadata": {"name": "x"}, "spec": {"hostPath": {"path": "/"}}, "status": {"phase": "Released"}}
    assert decide([], [other], STORAGE).remove == []


@pytest.mark.parametrize("phase", ["Available", "Bound", "Pending", "Failed"])
def test_a_volume_that_is_not_released_stays(phase: str) -> None:
    assert decide([], [volume("1", phase)], STORAGE).remove == []
