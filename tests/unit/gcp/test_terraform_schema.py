"""Both roots are what Terraform and the provider's published schema take, and the checks would see it if not."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from terraform.roots import ROOTS, Root, TerraformError

NAMES = ("data", "system")


def test_the_files_are_formatted() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(ROOTS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_block_and_argument_is_in_the_schema(name: str, request: pytest.FixtureRequest) -> None:
    root: Root = request.getfixturevalue(f"{name}_root")
    assert "configuration is valid" in root.run("validate", "-no-color")


_WRONG = """
variable "labels" { type = map(string) }
variable "project_id" { type = string }
variable "region" { type = string }

resource "google_pubsub_topic" "right" {
  name = "x"
}
resource "google_pubsub_tropic" "type" {}
resource "google_pubsub_topic" "required" {}
resource "google_pubsub_topic" "argument" {
  name = "x"
  colour = "red"
}
resource "google_pubsub_topic" "kind" {
  name = []
}
resource "google_pubsub_topic" "block" {
  name = "x"
  schema {}
}
resource "google_pubsub_topic" "nested" {
  name = "x"
  schema_settings {}
}
resource "google_pubsub_topic" "reference" {
  name = google_pubsub_topic.right.nmae
}
"""


def test_what_is_not_in_the_schema_is_refused(schema: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOTS / "data/terraform.tf", source)
    (source / "wrong.tf").write_text(_WRONG)
    with pytest.raises(TerraformError) as refusal:
        Root.copy(source, tmp_path / "root", schema, {}).run("validate", "-no-color")
    said = str(refusal.value)
    for words in (
        'does not support resource type "google_pubsub_tropic"',
        'The argument "name" is required',
        'An argument named "colour" is not expected here',
        'Inappropriate value for attribute "name": string required',
        'Blocks of type "schema" are not expected here',
        'The argument "schema" is required',
        'This object has no argument, nested block, or exported attribute named "nmae"',
    ):
        assert words in said, words


@pytest.mark.parametrize("name", NAMES)
def test_variables_are_in_order_typed_and_described(name: str) -> None:
    variables = _blocks(ROOTS / name / "variables.tf", "variable")
    assert list(variables) == sorted(variables)
    for variable, body in variables.items():
        assert re.search(r'^  description = "\S', body, re.MULTILINE), variable
        assert re.search(r"^  type +?= (?!any)", body, re.MULTILINE), variable


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_in_order_and_described(name: str) -> None:
    outputs = _blocks(ROOTS / name / "outputs.tf", "output")
    assert list(outputs) == sorted(outputs)
    for output, body in outputs.items():
        assert re.search(r'^  description = "\S', body, re.MULTILINE), output


@pytest.mark.parametrize("name", NAMES)
def test_the_provider_is_the_one_whose_schema_is_checked(name: str) -> None:
    assert 'version = "~> 6.50"' in (ROOTS / name / "terraform.tf").read_text()


def _blocks(file: Path, kind: str) -> dict[str, str]:
    found = re.findall(rf'^{kind} "(\w+)" {{$(.*?)^}}$', file.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)
