"""What the pages about Google Cloud name is there."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from kupyterhub_cli.app import app
from unit.deploy.conftest import CHECKOUT

NAMES = ("install.md", "day-two.md", "costs.md", "uninstall.md", "portal.md", "files.md", "images.md")
PAGES = [CHECKOUT / "docs" / name for name in NAMES]
COMMAND = re.compile(r'kupyterhub (?:--project "\$PROJECT" )?((?:users [a-z]+|[a-z]+))\b(?=[`\n #]| -)')
SH = re.compile(r"```sh\n(.*?)```", re.DOTALL)
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def declared(root: str) -> set[str]:
    text = (CHECKOUT / f"infra/gcp/{root}/variables.tf").read_text()
    return set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))


@EACH
def test_files_that_are_named_are_there(page: Path) -> None:
    for name in re.findall(r"\b((?:infra|docker)/[\w./-]*[\w-])", page.read_text()):
        assert (CHECKOUT / name).exists(), name


@EACH
def test_variables_of_terraform_are_its_own(page: Path) -> None:
    known = declared("data") | declared("system")
    text = page.read_text()
    named = set(re.findall(r"`(\w+): [\"{\[]", text))
    parts = {"gpu", "images", "shared_folders"}  # of others
    assert named - parts <= known


@EACH
def test_commands_of_kupyterhub_are_its_own(page: Path) -> None:
    for words in COMMAND.findall(page.read_text()):
        command = get_command(app)
        for word in words.split():
            assert isinstance(command, TyperGroup)
            command = command.commands[word]


@EACH
def test_options_of_gcloud_builds_are_in_the_build(page: Path) -> None:
    build = (CHECKOUT / "cloudbuild.yaml").read_text()
    for name in re.findall(r"[,\"](_[A-Z_]+)=", page.read_text()):
        assert f"  {name}: " in build


def test_topics_and_dead_letters_are_terraforms() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    functions = (CHECKOUT / "infra/gcp/system/functions.tf").read_text()
    for name in re.findall(r"([a-z-]+)-dead --project", text):
        assert f"    {name} " in functions
    pubsub = (CHECKOUT / "infra/gcp/system/pubsub.tf").read_text()
    for name in re.findall(r"topics publish ([a-z-]+)", text):
        assert f'"{name}"' in pubsub


def test_the_amounts_of_the_page_are_those_of_the_program() -> None:
    program = (CHECKOUT / "infra/deploy/costs.py").read_text()
    prices = set(re.findall(r'"(\w+_(?:hour|month|read|call))"', program))
    page = (CHECKOUT / "docs/costs.md").read_text()
    assert set(re.findall(r"`(\w+_(?:hour|month|read|call))`", page)) == prices


def test_what_attempts_are_said_to_be_is_what_is_set() -> None:
    program = (CHECKOUT / "infra/deploy/dead_letters.py").read_text()
    attempts = re.search(r"^ATTEMPTS = (\d+)$", program, re.MULTILINE)
    assert attempts is not None
    assert f"in {attempts[1]} attempts" in (CHECKOUT / "docs/day-two.md").read_text()


@EACH
def test_shell_in_the_pages_is_shell(page: Path, tmp_path: Path) -> None:
    for block in SH.findall(page.read_text()):
        file = tmp_path / "block.sh"
        file.write_text(block)
        done = subprocess.run(["bash", "-n", file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
