"""cloudbuild.yaml, as it is read."""

import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kupyterhub_cli.installing.decisions import Decisions
from unit.deploy.conftest import CHECKOUT

BY_HAND = yaml.safe_load((CHECKOUT / "infra/deploy/by_hand.yaml").read_text())
BUILD = yaml.safe_load((CHECKOUT / "cloudbuild.yaml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in BUILD["steps"]}
SCHEMA = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/cloudbuild.json").read_text())
SCRIPTS = sorted((CHECKOUT / "infra/deploy").glob("*.sh"))
IMAGES = ["agent", "jupyterlab", "proxy"]


def before(step: str) -> set[str]:
    """All steps that have ended when this one begins."""
    waited = set(STEPS[step]["waitFor"]) - {"-"}
    return waited.union(*map(before, waited))


@pytest.mark.parametrize("build", [BUILD, BY_HAND], ids=["deploy", "by hand"])
def test_it_is_as_cloud_builds_schema_says(build: dict[str, Any]) -> None:
    jsonschema.validate(build, SCHEMA)


def test_it_has_no_key_that_the_schema_does_not_know() -> None:
    parts = {"BuildStep": BUILD["steps"], "BuildOptions": [BUILD["options"]]}
    assert set(BUILD) <= set(SCHEMA["properties"])
    for definition, values in parts.items():
        for value in values:
            assert set(value) <= set(SCHEMA["definitions"][definition]["properties"])


@pytest.mark.parametrize("step", [step for step in STEPS if step != "builder"])
def test_a_step_is_a_script_that_one_can_run(step: str) -> None:
    assert STEPS[step]["entrypoint"] == "bash"
    script = CHECKOUT / STEPS[step]["args"][0]
    assert script in SCRIPTS
    assert "script" not in STEPS[step]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_executable_and_strict(script: Path) -> None:
    assert os.access(script, os.X_OK)
    text = script.read_text()
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "\nset -euo pipefail\n" in text


def test_no_script_is_forgotten() -> None:
    command = sorted((CHECKOUT / "cli/kupyterhub_cli").glob("**/*.py"))
    called = "\n".join(path.read_text() for path in [CHECKOUT / "cloudbuild.yaml", *SCRIPTS, *command])
    for script in SCRIPTS:
        assert re.search(rf'[/"]{re.escape(script.name)}', called), script.name


def test_every_image_that_runs_a_step_is_of_one_version() -> None:
    dockerfile = (CHECKOUT / "infra/deploy/Dockerfile").read_text()
    bases = re.findall(r"^ARG \w+=(\S+)$", dockerfile, re.MULTILINE)
    others = {step["name"] for step in STEPS.values()} - {"kupyterhub-build", "gcr.io/cloud-builders/docker"}
    for image in [*bases, *others]:
        assert re.search(r":\d+\.\d+\.\d+(-\w+)?$", image), image


def test_what_a_builds_tests_leave_out_is_there() -> None:
    left_out = re.search(r"--ignore=(\S+)\{(.*)\}", (CHECKOUT / "infra/deploy/test.sh").read_text())
    assert left_out is not None
    for name in left_out[2].split(","):
        assert (CHECKOUT / left_out[1] / name).exists()


def test_nothing_is_pushed_that_was_not_tested_and_scanned() -> None:
    assert {"test", "audit-packages", "scan-images", *(f"image-{image}" for image in IMAGES)} <= before("push")
    assert "scan.sh" in STEPS["scan-images"]["args"][0]
    assert "audit.sh" in STEPS["audit-packages"]["args"][0]


def test_nothing_is_released_that_was_not_pushed_and_planned() -> None:
    assert {"push", "plan", "sbom"} <= before("release")


def test_nothing_is_made_before_all_that_may_refuse_the_commit_has_ended() -> None:
    """A step that fails kills those beside it; what Terraform had just made would be known to nobody."""
    for step, config in STEPS.items():
        text = (CHECKOUT / config["args"][0]).read_text() if step != "builder" else ""
        if re.search(r'terraform\.sh"? \w+ apply|deploy\.sh', text):
            after = {other for other in STEPS if step in before(other)}
            assert set(STEPS) == before(step) | {step} | after, step


def test_audit_and_scan_leave_nothing_out() -> None:
    audit = (CHECKOUT / "infra/deploy/audit.sh").read_text()
    locks = {path.parent.name for path in (CHECKOUT / "docker").glob("*/requirements.lock")}
    assert locks == set(IMAGES)
    for script in ("audit.sh", "scan.sh", "push.sh", "sbom.sh"):
        assert f"for image in {' '.join(IMAGES)}; do" in (CHECKOUT / "infra/deploy" / script).read_text()
    assert "--requirement requirements.txt" in audit


def test_images_are_tagged_by_commit_and_say_where_they_are_from() -> None:
    assert BUILD["options"]["requestedVerifyOption"] == "VERIFIED"
    registry = "$_REGION-docker.pkg.dev/$PROJECT_ID/kupyterhub"
    assert BUILD["images"] == [f"{registry}/{image}:$COMMIT_SHA" for image in IMAGES]
    assert f"REGISTRY={registry}" in BUILD["options"]["env"]
    assert "TAG=$COMMIT_SHA" in BUILD["options"]["env"]


def test_the_registry_is_the_one_that_terraform_makes() -> None:
    text = (CHECKOUT / "infra/gcp/system/registry.tf").read_text()
    assert re.search(r"^ +kupyterhub += \{", text, re.MULTILINE)
    assert "-docker.pkg.dev/${var.project_id}/" in text


def test_scripts_are_given_every_variable_that_they_ask_for() -> None:
    given = {entry.partition("=")[0] for entry in BUILD["options"]["env"]}
    of_scripts = {"KUBECONFIG", "PATH"}
    for script in SCRIPTS:
        assert set(re.findall(r"\$\{([A-Z_]+):\?", script.read_text())) <= given | of_scripts, script.name
    by_hand = {entry.partition("=")[0] for entry in BY_HAND["options"]["env"]}
    for script in ("rollback.sh", "uninstall.sh", "terraform.sh", "secrets.sh", "deploy.sh"):
        text = (CHECKOUT / "infra/deploy" / script).read_text()
        assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) <= by_hand | of_scripts, script


@pytest.mark.parametrize("build", [BUILD, BY_HAND], ids=["deploy", "by hand"])
def test_it_runs_as_the_account_that_was_prepared_and_is_found_by_its_tag(build: dict[str, Any]) -> None:
    decisions = Decisions(Path(), {"project_id": "$PROJECT_ID"})
    assert build["serviceAccount"] == f"projects/$PROJECT_ID/serviceAccounts/{decisions.account}"
    bucket = build["substitutions"]["_STATE_BUCKET"].replace("${PROJECT_ID}", "$PROJECT_ID")
    assert f"gs://{bucket}" == decisions.state
    assert build["tags"] == ["kupyterhub"]


def test_substitutions_are_used_and_explained() -> None:
    text = (CHECKOUT / "cloudbuild.yaml").read_text()
    for name in BUILD["substitutions"]:
        assert re.search(rf"^  {name}: .*# ", text, re.MULTILINE), name
        assert text.count(f"${name}") >= 1
