"""What is wrong with an installation's decisions, and what a build makes of them."""

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from terraform import scripts

GOOD = """
project_id: my-project
region: europe-west1
firestore_location: eur3
allowed_emails: ["*@example.com"]
domain: notebooks.example.com
"""


@pytest.fixture(scope="module")
def variables() -> ModuleType:
    return scripts.load("infra/deploy/variables.py")


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROJECT", "REGION"):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str) -> Path:
    file = folder / "installation.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name: value"),
        ("- a list", "name: value"),
        ("1: 2", "name: value"),
        ("region: [", "no YAML"),
        (GOOD + "allowed_email: [a]", "Is allowed_emails meant?"),
        (GOOD + "xyz: 1", "xyz is no variable of infra/gcp."),
        (GOOD + "image_tag: a", "given by the deploy"),
        (GOOD.replace("region: europe-west1", "region:"), "region is missing"),
        (GOOD.replace('"*@example.com"', "a@example.com"), "smoke_emails is wanted"),
        (GOOD.replace('"*@example.com"', '"*@*.example.com"'), "smoke_emails is wanted"),
        (GOOD + "proxy: hosted", "smoke_emails is wanted"),
        (GOOD + "smoke_emails: [a@example.com]", "smoke_emails is wanted"),
        (GOOD + "smoke_emails: [a@example.com, a@example.com]", "smoke_emails is wanted"),
        (GOOD + "smoke_emails: a@example.com", "smoke_emails is wanted"),
        (GOOD.replace("domain: notebooks.example.com", "domain:"), "domain is missing"),
        (GOOD + "region: europe-west4", "region stands twice"),
        (GOOD + "profiles: {default: {cpu: 1, cpu: 2}}", "cpu stands twice"),
        (GOOD.replace("my-project", "2020-01-01"), "project_id is not what it should be"),
        (GOOD + "labels: {since: 2020-01-01}", "Put quotes around it"),
        *(
            (f"{GOOD}{wrong}", f"{wrong.partition(':')[0]} is not what it should be, which is such as")
            for wrong in (
                "notebook_pools: {default: 5}",
                "notebook_pools: {default: {max_nodes: ten}}",
                "notebook_pools: {default: {gpu: nvidia-l4}}",
                "notebook_pools: []",
                "system_pool: small",
                "identity: oidc",
                "portal: true",
                "admins: you@example.com",
                "admins: [5]",
            )
        ),
        *(
            (f"{GOOD}portal: {odd}", "no YAML")
            for odd in ("{host: 2020-99-99}", "!!int x", "!!bool x", "!!timestamp x")
        ),
        (f"{GOOD}portal: &a {{b: *a}}", "a part of itself"),
        (f"{GOOD}budget: {{amount: .nan}}", "no number"),
        (GOOD.replace("my-project", '""'), "project_id is missing"),
        (GOOD.replace('["*@example.com"]', "[]"), "allowed_emails is missing"),
        (GOOD.replace("notebooks.example.com", '""'), "domain is missing"),
        (f"{GOOD}smoke_emails: [a@example.com, b@example.org]", "b@example.org is one of smoke_emails"),
        (GOOD.replace('["*@example.com"]', "5"), "allowed_emails is not what it should be"),
        (GOOD.replace("europe-west1", "5"), "region is not what it should be"),
    ],
)
def test_what_is_wrong_is_said(variables: ModuleType, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(variables.WrongDecision, match=re.escape(said)):
        variables.main(written(tmp_path, text))
    assert not list(tmp_path.glob("*.json"))


def test_each_root_gets_its_own_variables_and_the_defaults_of_what_is_empty(
    variables: ModuleType, tmp_path: Path
) -> None:
    variables.main(written(tmp_path, f"{GOOD}dns_zone:\nlabels: {{a: b}}\nportal: {{}}\n"), tmp_path)
    data, system = (json.loads((tmp_path / f"{root}.tfvars.json").read_text()) for root in ("data", "system"))
    both = {"project_id": "my-project", "labels": {"a": "b"}}
    assert data == {**both, "region": "europe-west1", "firestore_location": "eur3"}
    given = {"allowed_emails": ["*@example.com"], "domain": "notebooks.example.com", "portal": {}}
    assert system == {**both, **given}
    emails = (tmp_path / "smoke-emails").read_text()
    assert emails == "kupyterhub-smoke-a@example.com kupyterhub-smoke-b@example.com\n"


def test_those_whom_somebody_named_are_tried(variables: ModuleType, tmp_path: Path) -> None:
    variables.main(written(tmp_path, f"{GOOD}smoke_emails: [a@example.com, b@example.com]\n"), tmp_path)
    assert (tmp_path / "smoke-emails").read_text() == "a@example.com b@example.com\n"
    assert "smoke" not in (tmp_path / "system.tfvars.json").read_text()


@pytest.mark.parametrize("name", ["PROJECT", "REGION"])
def test_a_build_for_elsewhere_is_refused(
    variables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "other")
    with pytest.raises(variables.WrongDecision, match="the build is for other"):
        variables.main(written(tmp_path, GOOD), tmp_path)
    # A person's own shell says nothing of the file.
    variables.main(written(tmp_path, GOOD))
