"""A release is deployed, tried and kept; one that fails is followed by the last that was kept."""

import re

import pytest

from terraform import scripts
from unit.deploy.conftest import CHECKOUT, NOTE, Bench

DECISIONS = """
project_id: my-project
region: europe-west1
firestore_location: eur3
allowed_emails: ["*@example.com"]
domain: notebooks.example.com
"""

# Each names itself, and the release that it was called for.
SAY = '#!/usr/bin/env bash\necho "$(basename "$0") $TAG $(cat "$VARIABLES/system.tfvars.json") $*" >>"$CALLS"\n'


def releasing(bench: Bench, deploy: str = "", smoke: str = "") -> None:
    bench.take("release.sh", "rollback.sh")
    bench.program("checkout/infra/deploy/deploy.sh", SAY + deploy)
    bench.program("checkout/infra/deploy/smoke.sh", SAY + smoke)


def called(bench: Bench) -> list[str]:
    return [call for call in bench.calls if ".sh" in call]


def test_what_was_tried_is_kept_whole(bench: Bench) -> None:
    releasing(bench)
    done = bench.run("release.sh")
    assert done.returncode == 0, done.stderr
    assert [call.split()[:2] for call in called(bench)] == [["deploy.sh", "0a1b2c3"], ["smoke.sh", "0a1b2c3"]]
    assert called(bench)[1].endswith("a@example.com b@example.com")
    assert (bench.bucket / "releases/last").read_text() == "0a1b2c3"
    assert {file.name for file in (bench.bucket / "releases/0a1b2c3").iterdir()} == {
        "source.tar.gz",
        "data.tfvars.json",
        "system.tfvars.json",
        "smoke-emails",
        "agent.cdx.json",
    }


def test_a_failed_try_is_followed_by_the_last_release_with_its_own_variables(bench: Bench) -> None:
    releasing(bench)
    assert bench.run("release.sh", TAG="good").returncode == 0
    (bench.folder / "variables/system.tfvars.json").write_text("other")
    releasing(bench, smoke="exit 1\n")
    bench.program("checkout/infra/deploy/deploy.sh", SAY + "echo new-deploy >>$CALLS\n")
    done = bench.run("release.sh", TAG="bad")
    assert done.returncode == 1
    assert [call for call in bench.calls if call.startswith(("deploy", "smoke", "new"))][2:] == [
        "deploy.sh bad other ",
        "new-deploy",
        "smoke.sh bad other a@example.com b@example.com",
        # The former release's own script, which says nothing of its newness.
        "deploy.sh good variables/system.tfvars.json ",
    ]
    assert (bench.bucket / "releases/last").read_text() == "good"
    assert not (bench.bucket / "releases/bad").exists()


def test_a_failed_deploy_is_not_tried(bench: Bench) -> None:
    releasing(bench, deploy='[ "$TAG" != bad ] || exit 3\n')
    assert bench.run("release.sh", TAG="good").returncode == 0
    done = bench.run("release.sh", TAG="bad")
    assert done.returncode == 1
    assert [call.split()[:2] for call in called(bench)][2:] == [["deploy.sh", "bad"], ["deploy.sh", "good"]]
    assert "the lines above say where" in done.stderr


def test_the_first_release_has_nothing_to_go_back_to(bench: Bench) -> None:
    releasing(bench, deploy="exit 1\n")
    done = bench.run("release.sh")
    assert done.returncode == 1
    assert "nothing to go back to" in done.stderr
    assert not bench.bucket.exists() or not (bench.bucket / "releases/last").exists()


def test_one_goes_back_by_hand_to_any_release(bench: Bench) -> None:
    releasing(bench)
    for tag in ("one", "two"):
        assert bench.run("release.sh", TAG=tag).returncode == 0
    done = bench.run("rollback.sh", "one")
    assert done.returncode == 0, done.stderr
    assert called(bench)[-1].startswith("deploy.sh one")


def deploying(bench: Bench) -> None:
    bench.take("deploy.sh")
    for name in (
        "terraform.sh",
        "credentials.sh",
        "cluster.sh",
        "secrets.sh",
        "portal_client.sh",
    ):
        bench.program(f"checkout/infra/deploy/{name}", NOTE)
    bench.program(
        "checkout/infra/deploy/dead_letters.py", "import os\nopen(os.environ['CALLS'], 'a').write('dead\\n')\n"
    )
    bench.program("checkout/infra/deploy/installation.py", "print('gke')\n")


def calls(bench: Bench) -> list[str]:
    """What was called, but for the files of this run, and what Terraform was asked for its outputs."""
    called = (call.split(" /")[0].strip() for call in bench.calls)
    return [call for call in called if not call.startswith("terraform -chdir")]


def test_a_deploy_goes_from_what_lasts_to_what_runs(bench: Bench) -> None:
    deploying(bench)
    done = bench.run("deploy.sh")
    assert done.returncode == 0, done.stderr
    assert calls(bench) == [
        "terraform.sh data apply",
        "secrets.sh",
        "terraform.sh system list",
        "terraform.sh system apply",
        "dead",
        "portal_client.sh",
        "credentials.sh",
        "cluster.sh",
        'gcloud pubsub topics publish resync --project=my-project --message={"mode": "all"}',
    ]


HAS_CLUSTER = NOTE + '[ "$2" != list ] || echo google_container_cluster.cluster\n'


def test_a_cluster_that_is_there_has_what_new_functions_rely_on_before_them(bench: Bench) -> None:
    deploying(bench)
    bench.program("checkout/infra/deploy/terraform.sh", HAS_CLUSTER)
    done = bench.run("deploy.sh")
    assert done.returncode == 0, done.stderr
    assert calls(bench)[2:6] == [
        "terraform.sh system list",
        "credentials.sh",
        "cluster.sh",
        "terraform.sh system apply",
    ]


def test_a_cluster_that_does_not_answer_is_left_to_terraform(bench: Bench) -> None:
    deploying(bench)
    bench.program("checkout/infra/deploy/terraform.sh", HAS_CLUSTER)
    bench.program("checkout/infra/deploy/credentials.sh", NOTE + "exit 1\n")
    done = bench.run("deploy.sh")
    assert calls(bench)[3:5] == ["credentials.sh", "terraform.sh system apply"]
    assert "does not answer" in done.stderr


def test_a_step_that_fails_ends_the_deploy(bench: Bench) -> None:
    """Terraform is tried three times: Google may not know yet what it has just made."""
    bench.take("deploy.sh")
    bench.program("checkout/infra/deploy/terraform.sh", NOTE + '[ "$1 $2" != "system apply" ]\n')
    bench.program("checkout/infra/deploy/secrets.sh", NOTE)
    done = bench.run("deploy.sh", PAUSE_SECONDS="0")
    assert done.returncode != 0
    assert calls(bench)[3:] == ["terraform.sh system apply"] * 3


def test_terraform_is_told_the_project_and_what_to_run(bench: Bench) -> None:
    bench.take("terraform.sh")
    bench.program("checkout/infra/gcp/package_functions.py", "")
    done = bench.run("terraform.sh", "system", "apply")
    assert done.returncode == 0, done.stderr
    init, untaint, apply = bench.calls
    assert "-backend-config=bucket=my-state" in init
    # One that came half-way is protected from being made anew.
    assert untaint.endswith("untaint google_container_cluster.cluster")
    assert {"-var=state_bucket=my-state", "-var=image_tag=0a1b2c3", "-auto-approve"} <= set(apply.split())
    assert "variables/system.tfvars.json" in apply
    bench.run("terraform.sh", "data", "plan")
    assert "variables/data.tfvars.json" in bench.calls[-1]
    assert "-auto-approve" not in bench.calls[-1]


@pytest.mark.parametrize(("said", "code"), [("No state file was found!", 0), ("Error: 503", 1)])
def test_what_could_not_be_listed_is_not_what_there_is_none_of(bench: Bench, said: str, code: int) -> None:
    bench.take("terraform.sh")
    bench.program("checkout/infra/gcp/package_functions.py", "")
    bench.program("bin/terraform", f"{NOTE}[[ $* != *'state list'* ]] || {{ echo '{said}' >&2; exit 1; }}\n")
    done = bench.run("terraform.sh", "system", "list")
    assert (done.returncode, done.stdout) == (code, "")


def test_variables_that_terraform_is_given_are_its_own() -> None:
    script = (CHECKOUT / "infra/deploy/terraform.sh").read_text()
    given, variables = re.findall(r"-var=(\w+)=", script), scripts.load("infra/deploy/variables.py")
    assert set(given) == variables.BY_THE_DEPLOY - {"functions_archive"}
    assert set(given) <= variables.declared("system")
    assert "deletion_protection" in variables.declared("system") & variables.declared("data")


def planning(bench: Bench) -> None:
    bench.take("plan.sh", "variables.py")
    for file in ("data/variables.tf", "system/variables.tf"):
        bench.program(f"checkout/infra/gcp/{file}", (CHECKOUT / "infra/gcp" / file).read_text())
    bench.program("checkout/infra/deploy/terraform.sh", NOTE)
    (bench.bucket / "variables").mkdir(parents=True)
    (bench.bucket / "variables/installation.yaml").write_text(DECISIONS)


def test_a_plan_gets_the_variables_and_makes_nothing(bench: Bench) -> None:
    planning(bench)
    done = bench.run("plan.sh")
    assert done.returncode == 0, done.stderr
    assert '"europe-west1"' in (bench.folder / "variables/data.tfvars.json").read_text()
    roots = [call.split(" -")[0] for call in bench.calls if call.startswith("terraform.sh")]
    # The system's plan reads what is not made yet.
    assert roots == ["terraform.sh data plan", "terraform.sh data list"]


def test_the_system_is_planned_once_there_is_what_it_reads(bench: Bench) -> None:
    planning(bench)
    bench.program("checkout/infra/deploy/terraform.sh", NOTE + '[ "$2" != list ] || echo google_storage_bucket.b\n')
    assert bench.run("plan.sh").returncode == 0
    assert "terraform.sh system plan" in bench.calls[-1]


def test_the_registry_comes_after_what_lasts_and_alone(bench: Bench) -> None:
    bench.take("registry.sh")
    bench.program("checkout/infra/deploy/terraform.sh", NOTE)
    done = bench.run("registry.sh")
    assert done.returncode == 0, done.stderr
    lasting, applied = bench.calls
    assert lasting == "terraform.sh data apply"
    target = re.search(r'-target=google_artifact_registry_repository.(\w+)\["([\w-]+)"\]', applied)
    assert target is not None
    registry = (CHECKOUT / "infra/gcp/system/registry.tf").read_text()
    assert f'resource "google_artifact_registry_repository" "{target[1]}"' in registry
    assert f"    {target[2]} = " in registry


def test_an_image_that_the_registry_has_is_not_built_again(bench: Bench) -> None:
    bench.take("image.sh")
    bench.run("image.sh", "agent", REGISTRY="registry.example/kupyterhub")
    assert bench.calls == ["docker pull --quiet registry.example/kupyterhub/agent:0a1b2c3"]


def test_an_image_knows_the_commit_that_it_is_of(bench: Bench) -> None:
    bench.take("image.sh")
    bench.program("bin/docker", NOTE + '[ "$1" != pull ]\n')
    bench.run("image.sh", "agent", REGISTRY="registry.example/kupyterhub")
    assert "--build-arg REVISION=0a1b2c3" in bench.calls[-1]
    assert "--file docker/agent/Dockerfile" in bench.calls[-1]
