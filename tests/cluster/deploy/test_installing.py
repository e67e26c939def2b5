"""From an empty project to a release and back, by the command alone, and on from wherever it failed.

Google is a stand-in (twins/google_project.py); scripts, command and the order of Terraform's resources are the real
ones.
"""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

from kupyterhub_cli.installing import signing_in
from kupyterhub_cli.ports import GcloudRefused
from terraform.roots import CHECKOUT, Plan
from terraform.ways import DATA, WAYS
from twins import google_project
from twins.google_project import Project, Refused
from unit.cli.stage import Stage, make

GIVEN = ("image_tag", "state_bucket")
RECORD = {"name": "*.notebooks.example.com.", "type": "A", "data": "203.0.113.7"}
EVENTARC = "service-12345@gcp-sa-eventarc.iam.gserviceaccount.com"
_SMOKE = {"smoke_emails": ["a@example.com", "b@example.com"]}


class Programs:
    """`ports.Gcloud`, by the stand-in."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def run(self, *arguments: str, given: str | None = None) -> str:
        try:
            return self.project.gcloud(arguments, given or "")
        except Refused as refused:
            raise GcloudRefused(str(refused)) from refused

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--format=json") or "null")


@dataclass
class Place:
    """A checkout, somebody in it, and the project."""

    stage: Stage
    project: Project

    def run(self, *command: str) -> int:
        return self.stage.run(*command)

    def install(self) -> int:
        return self.run("prepare") or self.run("deploy")

    def what_is_there(self) -> dict[str, Any]:
        """All that lasts, without times, builds and secret values."""
        state = self.project.state
        return {
            "resources": {root: sorted(made) for root, made in state["resources"].items()},
            "secrets": {name: len(versions) for name, versions in sorted(state["secrets"].items())},
            "bindings": sorted(state["bindings"]),
            "objects": sorted(state["objects"]),
            **{name: sorted(state[name]) for name in ("accounts", "buckets", "images")},
            "gateway": state["gateway"],
        }


Graphs = Callable[[str], dict[str, Any]]


@pytest.fixture
def graphs(
    system_plan: Callable[[str], Plan],
    data_plan: Plan,
    edges: Mapping[str, set[str]],
    data_edges: Mapping[str, set[str]],
) -> Graphs:
    """What Terraform makes of both roots, by the way of installing."""
    return lambda way: {"data": _graph(data_plan, data_edges), "system": _graph(system_plan(way), edges)}


@pytest.fixture
def installing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graphs: Graphs, request: pytest.FixtureRequest
) -> Iterator[Place]:
    way: str = request.param
    _checkout(tmp_path / "checkout", {**DATA, **WAYS[way], **_SMOKE})
    (tmp_path / "workspace/SBOM").mkdir(parents=True)
    (tmp_path / "workspace/SBOM/agent.cdx.json").write_text("{}")
    project = Project(tmp_path, graphs(way))
    stage = make(tmp_path / "checkout")
    stage.session.gcloud = lambda _: Programs(project)  # type: ignore[method-assign]
    monkeypatch.setattr("kupyterhub_cli.commands.checking.doctor", lambda _: None)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(signing_in, "getpass", lambda _: "the client's secret")
    with google_project.programs(project):
        yield Place(stage, project)


def _checkout(folder: Path, variables: Mapping[str, Any]) -> None:
    """What the scripts need, as a commit; what speaks to Google's clients in Python is left out."""
    for part in ("infra/deploy", "infra/cluster", "infra/gcp", "infra/local/kupyterhub_local"):
        ignored = shutil.ignore_patterns(".terraform*", "__pycache__", "*.zip")
        shutil.copytree(CHECKOUT / part, folder / part, ignore=ignored)
    for part in ("cloudbuild.yaml", "requirements.txt"):
        shutil.copy(CHECKOUT / part, folder)
    (folder / "functions").mkdir()
    (folder / "functions/main.py").write_text("")
    for script in ("dead_letters.py", "records.py"):
        (folder / "infra/deploy" / script).write_text("")
    (folder / "infra/gcp/package_functions.py").write_text("")
    (folder / "infra/deploy/smoke.sh").write_text('#!/usr/bin/env bash\necho "tried with $*"\n')
    (folder / "infra/deploy/smoke.sh").chmod(0o755)
    decisions = {name: value for name, value in variables.items() if name not in GIVEN}
    (folder / "installation.yaml").write_text(yaml.safe_dump(decisions))
    (folder / ".gitignore").write_text("installation.yaml\n__pycache__/\n")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(folder))
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run([*git, *command], check=True)


def _graph(plan: Plan, after: Mapping[str, set[str]]) -> dict[str, Any]:
    """What is made in this way, in an order that the graph allows; what is not made passes its order on."""
    made = {f"{kind}.{address.partition('[')[0]}" for kind in plan.types for address in plan.of(kind)}
    order = [each for each in TopologicalSorter(after).static_order() if each in made]
    outputs = {name: {"value": value} for name, value in plan.outputs.items() if value is not None}
    outputs["dns_records"] = {"value": {"wildcard": RECORD}}
    outputs["cluster"] = {"value": {"name": "kupyterhub", "location": "europe-west1"}}
    return {
        "order": [*order, *sorted(made - set(order))],
        "after": {each: sorted(earlier) for each, earlier in after.items()},
        "outputs": outputs,
    }


@pytest.mark.parametrize("installing", ["everything", "cloud-run", "hosted-portal"], indirect=True)
def test_an_empty_project_is_installed_and_is_empty_again(
    installing: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert installing.install() == 0, capsys.readouterr().err + str(installing.project.state["logs"])
    state = installing.project.state
    assert "the client's secret" not in capsys.readouterr().err + str(state["logs"]) + str(state["objects"])
    first = installing.what_is_there()
    assert first["resources"]["system"]
    assert all(first["secrets"].values())
    assert installing.install() == 0
    assert installing.what_is_there() == first
    assert installing.run("uninstall", "--everything", "--yes") == 0, capsys.readouterr().err
    assert_empty(installing)


@pytest.mark.parametrize("installing", ["everything"], indirect=True)
def test_from_every_failure_the_same_command_goes_on(installing: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call of a program fails in turn for as long as a command runs, and each kind of resource once."""
    project = installing.project
    assert installing.install() == 0
    whole, seen = installing.what_is_there(), project.state["seen"]
    project.state = Project(project.folder, project.graphs).state
    half_made = {}
    kinds = [label for label in seen if label.startswith("terraform google_")]
    others = [[label] for label in seen if label not in kinds]
    # Three of them end a deploy.
    for labels in [*others, *(kinds[first : first + 3] for first in range(0, len(kinds), 3))]:
        project.state["fails"] = list(labels)
        code = installing.install()
        said = capsys.readouterr().err
        assert code in {0, 1, 2}, (labels, said)
        assert "Traceback" not in said, labels
        half_made[json.dumps(installing.what_is_there())] = (labels, copy.deepcopy(project.state))
    project.state["fails"] = []
    assert installing.install() == 0, capsys.readouterr().err
    assert installing.what_is_there() == whole

    for labels, state in half_made.values():
        project.state = {**state, "fails": []}
        assert installing.run("uninstall", "--everything", "--yes") == 0, (labels, capsys.readouterr().err)
        assert_empty(installing)


@pytest.mark.parametrize("installing", ["everything"], indirect=True)
def test_from_every_failure_of_the_way_back_it_goes_on(installing: Place, capsys: pytest.CaptureFixture[str]) -> None:
    project = installing.project
    assert installing.install() == 0
    project.state["seen"], made = [], copy.deepcopy(project.state)
    assert installing.run("uninstall", "--everything", "--yes") == 0
    seen, project.state = project.state["seen"], made
    for label in seen:
        project.state["fails"] = [label]
        code = installing.run("uninstall", "--everything", "--yes")
        said = capsys.readouterr().err
        assert code in {0, 1, 2}, (label, said)
        assert "Traceback" not in said, label
    project.state["fails"] = []
    assert installing.run("uninstall", "--everything", "--yes") == 0, capsys.readouterr().err
    assert_empty(installing)


def assert_empty(place: Place) -> None:
    """Nothing is left but what docs/uninstall.md says."""
    left = place.what_is_there()
    assert left.pop("bindings") in ([], [["roles/eventarc.serviceAgent", EVENTARC]])
    left.pop("images")  # they went with their repository
    assert left.pop("resources") == {"data": [], "system": []}
    assert not any(left.values()), left
