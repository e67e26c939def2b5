"""Terraform takes what the pages say to write into `data.tfvars` and `system.tfvars`."""

import asyncio
import json
import re
from itertools import groupby, zip_longest
from pathlib import Path

import pytest

from terraform import published
from terraform.roots import CHECKOUT, ROOTS, Root
from terraform.ways import DATA, GOOGLE, SYSTEM

INSTALL = (CHECKOUT / "docs/install.md").read_text()
DAY_TWO = (CHECKOUT / "docs/day-two.md").read_text()
PORTAL = (CHECKOUT / "docs/portal.md").read_text()
FOR_DATA, *FOR_SYSTEM = re.findall(r"```hcl\n(.*?)```", INSTALL, re.DOTALL)
FOR_PORTAL = re.findall(r"```hcl\n(.*?)```", PORTAL, re.DOTALL)
WITH_PORTAL = [f"{own}\n{portal}" for own, portal in zip(FOR_SYSTEM, FOR_PORTAL, strict=True)]
# Whole assignments; those with `…` in them leave something out; `gpu` and `session_key_version` are parts of others.
CHANGES = sorted({found for found in re.findall(r"`((?!gpu|session_key)\w+ = [^`]+)`", DAY_TWO) if "…" not in found})
OF_EACH = [list(changes) for _, changes in groupby(CHANGES, key=lambda change: change.split()[0])]
ROUNDS = [list(filter(None, some)) for some in zip_longest(*OF_EACH)]
"""Every change of the page once, and no variable twice in one round."""
_STATE = """
data "terraform_remote_state" "data" {{
  backend = "local"
  config  = {{ path = "{path}" }}
}}
"""
BY_THE_DEPLOY = ("project_id", "state_bucket", "image_tag")


@pytest.fixture(scope="module")
def schema() -> Path:
    return asyncio.run(published.schema())


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
    (root.folder / "page.tfvars").write_text(text)
    variables = [f"-var={name}={value}" for name, value in given.items()]
    return root.run("plan", "-input=false", "-no-color", "-lock=false", "-var-file=page.tfvars", *variables)


def test_what_lasts_is_planned_as_the_page_says(schema: Path, tmp_path: Path) -> None:
    root = Root.copy(ROOTS / "data", tmp_path / "root", schema, GOOGLE)
    given = {name: DATA[name] for name in ("project_id", "region")}
    assert "google_firestore_database" in plan(root, FOR_DATA, **given)


@pytest.mark.parametrize("text", FOR_SYSTEM, ids=["self-hosted", "hosted"])
def test_an_installation_is_planned_as_the_page_says(system: Root, text: str) -> None:
    assert "google_container_cluster" in plan(system, text, **{name: SYSTEM[name] for name in BY_THE_DEPLOY})


@pytest.mark.parametrize("text", WITH_PORTAL, ids=["self-hosted", "hosted"])
def test_a_portal_is_planned_as_its_page_says(system: Root, text: str) -> None:
    planned = plan(system, text, **{name: SYSTEM[name] for name in BY_THE_DEPLOY})
    assert 'google_cloudfunctions2_function.portal["portal"]' in planned


@pytest.mark.parametrize("changes", ROUNDS, ids=range(len(ROUNDS)))
def test_changes_are_planned_as_the_page_says(system: Root, changes: list[str]) -> None:
    names = {change.split()[0] for change in changes}
    kept = [line for line in FOR_SYSTEM[1].splitlines() if line.split()[0] not in names]
    text = "\n".join([*kept, *changes])
    assert "google_container_cluster" in plan(system, text, **{name: SYSTEM[name] for name in BY_THE_DEPLOY})
