"""Taking an installation down."""

import subprocess

import pytest

from unit.deploy.conftest import NOTE, Bench


def taken_down(bench: Bench, what: str, typed: str) -> "subprocess.CompletedProcess[str]":
    bench.take("uninstall.sh")
    for name in ("terraform.sh", "credentials.sh"):
        bench.program(f"checkout/infra/deploy/{name}", NOTE)
    (bench.bucket / "variables").mkdir(parents=True, exist_ok=True)
    for root in ("data", "system"):
        (bench.bucket / f"variables/{root}.tfvars").write_text("")
    return bench.run("uninstall.sh", what, said=f"{typed}\n")


def verbs(bench: Bench) -> list[str]:
    return [call for call in bench.calls if call.startswith("terraform.sh")]


@pytest.mark.parametrize("typed", ["", "yes", "my-other-project"])
def test_nothing_is_done_unless_the_project_is_typed(bench: Bench, typed: str) -> None:
    done = taken_down(bench, "everything", typed)
    assert done.returncode == 1
    assert "nothing was done" in done.stderr
    assert not bench.calls


def test_what_is_no_choice_is_refused(bench: Bench) -> None:
    assert taken_down(bench, "data", "my-project").returncode == 2
    assert not bench.calls


def test_the_system_goes_without_notebooks_and_documents(bench: Bench) -> None:
    done = taken_down(bench, "system", "my-project")
    assert done.returncode == 0, done.stderr
    assert verbs(bench) == [
        "terraform.sh system apply -var=deletion_protection=false",
        "terraform.sh system destroy -var=deletion_protection=false",
    ]
    assert not [call for call in bench.calls if "namespace kupyterhub" in call or "compute" in call]


def test_the_load_balancer_goes_before_the_cluster_that_minds_it(bench: Bench) -> None:
    taken_down(bench, "system", "my-project")
    kinds = [call.split()[:3] for call in bench.calls]
    assert kinds.index(["kubectl", "delete", "gateway"]) < kinds.index(["terraform.sh", "system", "destroy"])


def test_everything_goes_with_what_the_system_made_first(bench: Bench) -> None:
    bench.program("bin/gcloud", NOTE + '[[ "$*" != *list* ]] || echo "old europe-west1-b"\n')
    done = taken_down(bench, "everything", "my-project")
    assert done.returncode == 0, done.stderr
    assert [call.split()[1:3] for call in verbs(bench)] == [
        ["system", "apply"],
        ["system", "destroy"],
        ["data", "apply"],
        ["data", "destroy"],
    ]
    assert "kubectl delete namespace kupyterhub --ignore-not-found --timeout=20m" in bench.calls
    assert "gcloud compute disks delete old --project=my-project --zone=europe-west1-b --quiet" in bench.calls
