"""Taking an installation down."""

import subprocess

import pytest

from unit.deploy.conftest import NOTE, Bench

CLUSTER = "google_container_cluster.cluster"


def taken_down(bench: Bench, what: str, cluster: str | None = CLUSTER) -> "subprocess.CompletedProcess[str]":
    bench.take("uninstall.sh")
    bench.program("checkout/infra/deploy/variables.py", "")
    bench.program("checkout/infra/deploy/credentials.sh", NOTE)
    listed = "true" if cluster is None else f"echo google_pubsub_topic.topics; echo {cluster}"
    lasting = "echo google_storage_bucket.notebooks; echo google_compute_resource_policy.homes"
    says = f'[ "$*" != "system list" ] || {{ {listed}; }}\n[ "$*" != "data list" ] || {{ {lasting}; }}\n'
    bench.program("checkout/infra/deploy/terraform.sh", NOTE + says)
    (bench.bucket / "variables").mkdir(parents=True, exist_ok=True)
    (bench.bucket / "variables/installation.yaml").write_text("")
    return bench.run("uninstall.sh", what, PAUSE_SECONDS="0")


def verbs(bench: Bench) -> list[str]:
    return [call for call in bench.calls if call.startswith("terraform.sh") and " list" not in call]


def test_what_is_no_choice_is_refused(bench: Bench) -> None:
    assert taken_down(bench, "data").returncode == 2
    assert not bench.calls


def test_the_system_goes_without_notebooks_and_documents(bench: Bench) -> None:
    done = taken_down(bench, "system")
    assert done.returncode == 0, done.stderr
    assert verbs(bench) == [
        f"terraform.sh system apply -var=deletion_protection=false -target={CLUSTER}",
        "terraform.sh system destroy -var=deletion_protection=false",
    ]
    assert not [call for call in bench.calls if "namespace kupyterhub" in call or "compute disks" in call]


def test_what_came_half_way_is_taken_down_without_being_made_first(bench: Bench) -> None:
    done = taken_down(bench, "system", "google_container_cluster.clusters_of_others")
    assert done.returncode == 0, done.stderr
    assert verbs(bench) == ["terraform.sh system destroy -var=deletion_protection=false"]


def test_what_was_never_made_is_not_destroyed(bench: Bench) -> None:
    """Terraform could not: it would read what lasts, of which there is none."""
    done = taken_down(bench, "system", None)
    assert done.returncode == 0, done.stderr
    assert verbs(bench) == []


@pytest.mark.parametrize("what", ["system", "everything"])
def test_nobody_goes_back_to_a_release_whose_images_are_gone(bench: Bench, what: str) -> None:
    last = bench.bucket / "releases/last"
    last.parent.mkdir(parents=True)
    last.write_text("0a1b2c3")
    assert taken_down(bench, what).returncode == 0
    assert "gcloud storage rm gs://my-state/kupyterhub/releases/last" in bench.calls


def test_the_load_balancer_goes_before_the_cluster_that_minds_it(bench: Bench) -> None:
    taken_down(bench, "system")
    kinds = [call.split()[:3] for call in bench.calls]
    assert kinds.index(["kubectl", "delete", "gateway"]) < kinds.index(["terraform.sh", "system", "destroy"])


def test_everything_goes_with_what_the_system_made_first(bench: Bench) -> None:
    bench.program("bin/gcloud", NOTE + '[[ "$*" != *list* ]] || echo "old europe-west1-b"\n')
    done = taken_down(bench, "everything")
    assert done.returncode == 0, done.stderr
    assert [call.split()[1:3] for call in verbs(bench)] == [
        ["system", "apply"],
        ["system", "destroy"],
        ["data", "apply"],
        ["data", "destroy"],
    ]
    assert "-target=google_storage_bucket.notebooks" in verbs(bench)[2]
    assert "homes" not in verbs(bench)[2]
    assert "kubectl delete namespace kupyterhub --ignore-not-found --timeout=20m" in bench.calls
    assert "gcloud compute disks delete old --project=my-project --zone=europe-west1-b --quiet" in bench.calls


GROUPS = (
    NOTE
    + """
left=$(dirname "$CALLS")/groups
if [[ $* = *"network-endpoint-groups list"* ]]; then
    cat "$left"
    [ "$(grep -c "groups list" "$CALLS")" -lt 3 ] || sed -i 1d "$left"
fi
"""
)


def test_groups_of_addresses_are_waited_for_and_removed_before_the_network(bench: Bench) -> None:
    bench.program("bin/gcloud", GROUPS)
    (bench.folder / "groups").write_text("k8s1-a europe-west1-b\n" * 2 + "k8s1-b europe-west1-c\n" * 40)
    done = taken_down(bench, "system")
    assert done.returncode == 0, done.stderr
    calls = [call for call in bench.calls if "network-endpoint-groups" in call or " destroy " in call]
    deleted = [call for call in calls if " delete " in call]
    assert deleted
    assert all("--zone=europe-west1-c" in call for call in deleted)
    assert len([call for call in calls if " list " in call]) == 31
    assert calls[-1].startswith("terraform.sh system destroy")
