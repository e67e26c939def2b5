"""A release is deployed, tried and kept; one that fails is followed by the last that was kept."""

import re

from unit.deploy.conftest import CHECKOUT, NOTE, Bench

# Each names itself, and the release that it was called for.
SAY = '#!/usr/bin/env bash\necho "$(basename "$0") $TAG $(cat "$VARIABLES/system.tfvars") $*" >>"$CALLS"\n'


def releasing(bench: Bench, deploy: str = "", smoke: str = "") -> None:
    bench.take("release.sh", "rollback.sh")
    bench.program("checkout/infra/deploy/deploy.sh", SAY + deploy)
    bench.program("checkout/infra/deploy/smoke.sh", SAY + smoke)


def scripts(bench: Bench) -> list[str]:
    return [call for call in bench.calls if ".sh" in call]


def test_what_was_tried_is_kept_whole(bench: Bench) -> None:
    releasing(bench)
    done = bench.run("release.sh")
    assert done.returncode == 0, done.stderr
    assert [call.split()[:2] for call in scripts(bench)] == [["deploy.sh", "0a1b2c3"], ["smoke.sh", "0a1b2c3"]]
    assert scripts(bench)[1].endswith("a@example.com b@example.com")
    assert (bench.bucket / "releases/last").read_text() == "0a1b2c3"
    assert {file.name for file in (bench.bucket / "releases/0a1b2c3").iterdir()} == {
        "source.tar.gz",
        "data.tfvars",
        "system.tfvars",
        "agent.cdx.json",
    }


def test_a_failed_try_is_followed_by_the_last_release_with_its_own_variables(bench: Bench) -> None:
    releasing(bench)
    assert bench.run("release.sh", TAG="good").returncode == 0
    (bench.folder / "variables/system.tfvars").write_text("other")
    releasing(bench, smoke="exit 1\n")
    bench.program("checkout/infra/deploy/deploy.sh", SAY + "echo new-deploy >>$CALLS\n")
    done = bench.run("release.sh", TAG="bad")
    assert done.returncode == 1
    assert [call for call in bench.calls if call.startswith(("deploy", "smoke", "new"))][2:] == [
        "deploy.sh bad other ",
        "new-deploy",
        "smoke.sh bad other a@example.com b@example.com",
        # The former release's own script, which says nothing of its newness.
        "deploy.sh good variables/system.tfvars ",
    ]
    assert (bench.bucket / "releases/last").read_text() == "good"
    assert not (bench.bucket / "releases/bad").exists()


def test_a_failed_deploy_is_not_tried(bench: Bench) -> None:
    releasing(bench, deploy='[ "$TAG" != bad ] || exit 3\n')
    assert bench.run("release.sh", TAG="good").returncode == 0
    done = bench.run("release.sh", TAG="bad")
    assert done.returncode == 1
    assert [call.split()[:2] for call in scripts(bench)][2:] == [["deploy.sh", "bad"], ["deploy.sh", "good"]]
    assert "Back to the last one" in done.stderr


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
    assert scripts(bench)[-1].startswith("deploy.sh one")


def test_a_release_without_people_to_try_it_with_says_so_at_once(bench: Bench) -> None:
    releasing(bench)
    done = bench.run("release.sh", SMOKE_EMAILS="")
    assert done.returncode != 0
    assert "two e-mails" in done.stderr
    assert not bench.calls


def test_a_deploy_goes_from_what_lasts_to_what_runs(bench: Bench) -> None:
    bench.take("deploy.sh")
    for name in (
        "terraform.sh",
        "credentials.sh",
        "cluster.sh",
        "master_secret.sh",
        "portal_key.sh",
        "portal_client.sh",
    ):
        bench.program(f"checkout/infra/deploy/{name}", NOTE)
    bench.program(
        "checkout/infra/deploy/dead_letters.py", "import os\nopen(os.environ['CALLS'], 'a').write('dead\\n')\n"
    )
    done = bench.run("deploy.sh")
    assert done.returncode == 0, done.stderr
    calls = [call.split(" /")[0].strip() for call in bench.calls]
    assert calls[:4] == ["terraform.sh data apply", "master_secret.sh", "portal_key.sh", "terraform.sh system apply"]
    assert calls[5:] == [
        "dead",
        "portal_client.sh",
        "credentials.sh",
        "cluster.sh",
        'gcloud pubsub topics publish resync --project=my-project --message={"mode": "all"}',
    ]


def test_a_step_that_fails_ends_the_deploy(bench: Bench) -> None:
    bench.take("deploy.sh")
    bench.program("checkout/infra/deploy/terraform.sh", NOTE + '[ "$1" = data ]\n')
    done = bench.run("deploy.sh")
    assert done.returncode != 0
    assert [call for call in bench.calls if not call.startswith("terraform.sh")] == []


def test_terraform_is_told_the_project_and_what_to_run(bench: Bench) -> None:
    bench.take("terraform.sh")
    bench.program("checkout/infra/gcp/package_functions.py", "")
    done = bench.run("terraform.sh", "system", "apply")
    assert done.returncode == 0, done.stderr
    init, apply = bench.calls
    assert "-backend-config=bucket=my-state" in init
    assert {"-var=project_id=my-project", "-var=image_tag=0a1b2c3", "-auto-approve"} <= set(apply.split())
    bench.run("terraform.sh", "data", "plan")
    assert "-var=region=europe-west1" in bench.calls[-1]
    assert "-auto-approve" not in bench.calls[-1]


def test_variables_that_terraform_is_given_are_its_own() -> None:
    script = (CHECKOUT / "infra/deploy/terraform.sh").read_text()
    for root, given in re.findall(r"^(data|system)\) options\+=\((.*)\)", script, re.MULTILINE):
        declared = (CHECKOUT / f"infra/gcp/{root}/variables.tf").read_text()
        for name in ["project_id", *re.findall(r"-var=(\w+)=", given), "deletion_protection"]:
            assert f'variable "{name}"' in declared, (root, name)


def test_a_plan_gets_the_variables_and_makes_the_registry_alone(bench: Bench) -> None:
    bench.take("plan.sh")
    bench.program("checkout/infra/deploy/terraform.sh", NOTE)
    (bench.bucket / "variables").mkdir(parents=True)
    (bench.bucket / "variables/system.tfvars").write_text("ours")
    (bench.bucket / "releases").mkdir()
    (bench.bucket / "releases/last").write_text("0a1b2c3")
    done = bench.run("plan.sh")
    assert done.returncode == 0, done.stderr
    assert (bench.folder / "variables/system.tfvars").read_text() == "ours"
    (applied,) = [call for call in bench.calls if "apply" in call]
    target = re.search(r'-target=google_artifact_registry_repository.(\w+)\["([\w-]+)"\]', applied)
    assert target is not None
    registry = (CHECKOUT / "infra/gcp/system/registry.tf").read_text()
    assert f'resource "google_artifact_registry_repository" "{target[1]}"' in registry
    assert f"    {target[2]} = " in registry


def test_before_anything_was_released_a_plan_makes_what_lasts(bench: Bench) -> None:
    bench.take("plan.sh")
    bench.program("checkout/infra/deploy/terraform.sh", NOTE)
    (bench.bucket / "variables").mkdir(parents=True)
    (bench.bucket / "variables/data.tfvars").write_text("ours")
    done = bench.run("plan.sh")
    assert done.returncode == 0, done.stderr
    roots = [call.split(" -")[0] for call in bench.calls if call.startswith("terraform.sh")]
    assert roots == ["terraform.sh data apply", "terraform.sh system plan", "terraform.sh system apply"]


SECRETS = (
    NOTE
    + """
here=$(dirname "$CALLS")
case "$2 $3" in
"versions list") cat "$here/versions" 2>/dev/null || true ;;
"versions add") cat >"$here/secret" && echo 1 >"$here/versions" ;;
esac
"""
)


def test_the_master_secret_is_made_once_and_told_to_nobody(bench: Bench) -> None:
    bench.take("master_secret.sh")
    bench.program("bin/gcloud", SECRETS)
    for _ in range(2):
        done = bench.run("master_secret.sh")
        assert done.returncode == 0, done.stderr
    secret = (bench.folder / "secret").read_text().strip()
    assert len(secret) == 64
    assert secret not in "\n".join([done.stdout, done.stderr, *bench.calls])
    assert len([call for call in bench.calls if " add " in call]) == 1


def test_where_it_is_not_known_whether_there_is_a_master_secret_none_is_made(bench: Bench) -> None:
    bench.take("master_secret.sh")
    bench.program("bin/gcloud", NOTE + '[ "$3" != list ]\n')
    assert bench.run("master_secret.sh").returncode != 0
    assert not [call for call in bench.calls if " add " in call]


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
