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


_VARIABLES = "\n".join(
    f'variable "{name}" {{ type = {kind} }}'
    for name, kind in {"labels": "map(string)", "project_id": "string", "region": "string"}.items()
)
_TOPIC = 'resource "google_pubsub_topic" "x"'


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param('resource "google_pubsub_tropic" "x" {}', "Invalid resource type", id="resource"),
        pytest.param(_TOPIC + " {}", "Missing required argument", id="required"),
        pytest.param(_TOPIC + ' {\n name = "x"\n y = 1\n}', "Unsupported argument", id="argument"),
        pytest.param(_TOPIC + " {\n name = []\n}", "Incorrect attribute value type", id="type"),
        pytest.param(_TOPIC + ' {\n name = "x"\n y {}\n}', "Unsupported block type", id="block"),
        pytest.param(
            _TOPIC + ' {\n name = "x"\n schema_settings {}\n}', "Missing required argument", id="required-in-block"
        ),
        pytest.param(_TOPIC + " {\n name = google_pubsub_topic.x.nmae\n}", "Unsupported attribute", id="reference"),
    ],
)
def test_what_is_not_in_the_schema_is_refused(wrong: str, said: str, schema: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOTS / "data/terraform.tf", source)
    (source / "main.tf").write_text(f"{_VARIABLES}\n{wrong}\n")
    with pytest.raises(TerraformError, match=said):
        Root.copy(source, tmp_path / "root", schema, {}).run("validate", "-no-color")


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
