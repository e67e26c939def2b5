"""Terraform takes what the pages say to write into `installation.yaml`."""

import json
import re
from itertools import groupby, zip_longest
from pathlib import Path

import pytest

from kupyterhub_cli.installing import questions
from terraform import scripts
from terraform.roots import CHECKOUT, ROOTS, Root
from terraform.ways import GOOGLE

VARIABLES = scripts.load("infra/deploy/variables.py")
KNOWN = VARIABLES.declared("data") | VARIABLES.declared("system")
INSTALL = (CHECKOUT / "docs/install.md").read_text()
DAY_TWO = (CHECKOUT / "docs/day-two.md").read_text()
PORTAL = (CHECKOUT / "docs/portal.md").read_text()
INSTALLATIONS = re.findall(r"```yaml\n(.*?)```", INSTALL, re.DOTALL)
FOR_PORTAL = re.findall(r"```yaml\n(.*?)```", PORTAL.partition("## On Google Cloud")[2], re.DOTALL)
WITH_PORTAL = [
    f"{own.replace('portal: {}', '')}\n{portal}" for own, portal in zip(INSTALLATIONS, FOR_PORTAL, strict=True)
]
# Whole assignments; those with `…` in them leave something out; `gpu` and `images` are parts of others.
CHANGES = sorted({found for found in re.findall(r"`(\w+: [^`]+)`", DAY_TWO) if "…" not in found})
CHANGES = [change for change in CHANGES if change.split(":")[0] in KNOWN]
OF_EACH = [list(changes) for _, changes in groupby(CHANGES, key=lambda change: change.split(":")[0])]
ROUNDS = [list(filter(None, some)) for some in zip_longest(*OF_EACH)]
"""Every change of the page once, and no variable twice in one round."""
_STATE = """
data "terraform_remote_state" "data" {{
  backend = "local"
  config  = {{ path = "{path}" }}
}}
"""
BY_THE_DEPLOY = {"state_bucket": "my-state", "image_tag": "0a1b2c3"}


@pytest.fixture(scope="module")
def system(schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Root:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "functions.zip").write_bytes(b"the functions")
    names = re.findall(r'^output "(\w+)"', (ROOTS / "data/outputs.tf").read_text(), re.MULTILINE)
    outputs = {name: {"value": "europe-west1", "type": "string"} for name in names}
    state = folder / "data.tfstate"
    state.write_text(json.dumps({"version": 4, "serial": 1, "lineage": "tests", "outputs": outputs, "resources": []}))
    return Root.copy(ROOTS / "system", folder / "root", schema, GOOGLE, _STATE.format(path=state))


def plan(root: Root, text: str, **given: object) -> str:
    """Plan what a build would, by the files that it makes of the decisions."""
    VARIABLES.main(_written(root.folder, text), root.folder)
    variables = [f"-var={name}={value}" for name, value in given.items()]
    file = "system.tfvars.json" if given else "data.tfvars.json"
    return root.run("plan", "-input=false", "-no-color", "-lock=false", f"-var-file={file}", *variables)


def _written(folder: Path, text: str) -> Path:
    file = folder / "installation.yaml"
    file.write_text(text)
    return file


def test_what_lasts_is_planned_as_the_page_says(schema: Path, tmp_path: Path) -> None:
    root = Root.copy(ROOTS / "data", tmp_path / "root", schema, GOOGLE)
    assert "google_firestore_database" in plan(root, INSTALLATIONS[0])


@pytest.mark.parametrize("text", INSTALLATIONS, ids=["self-hosted", "hosted"])
def test_an_installation_is_planned_as_the_page_says(system: Root, text: str) -> None:
    assert "google_container_cluster" in plan(system, text, **BY_THE_DEPLOY)


@pytest.mark.parametrize("domain", ["notebooks.example.com", ""])
def test_an_installation_is_planned_as_the_questions_lead_to_it(system: Root, domain: str) -> None:
    answers = {
        "project": "my-project",
        "region": "europe-west1",
        "allowed": "*@example.com",
        "admin": "a@example.com",
    }
    text = questions.written({**answers, "domain": domain})
    a_person = text.replace("client_id: #", "client_id: a #").replace(
        "smoke_emails: #", "smoke_emails: [a@example.com, b@example.com] #"
    )
    assert "google_container_cluster" in plan(system, a_person, **BY_THE_DEPLOY)


@pytest.mark.parametrize("text", WITH_PORTAL, ids=["self-hosted", "hosted"])
def test_a_portal_is_planned_as_its_page_says(system: Root, text: str) -> None:
    assert 'google_cloudfunctions2_function.portal["portal"]' in plan(system, text, **BY_THE_DEPLOY)


@pytest.mark.parametrize("changes", ROUNDS, ids=range(len(ROUNDS)))
def test_changes_are_planned_as_the_page_says(system: Root, changes: list[str]) -> None:
    names = {change.split(":")[0] for change in changes}
    kept = [line for line in INSTALLATIONS[1].splitlines() if line.split(":")[0] not in names]
    assert "google_container_cluster" in plan(system, "\n".join([*kept, *changes]), **BY_THE_DEPLOY)
