"""Deciding, preparing and following builds; tests/cluster/deploy/test_installing.py has it all together."""

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from kupyterhub_cli.installing import questions, signing_in
from kupyterhub_cli.installing.quotas import needed, short
from kupyterhub_cli.ports import GcloudRefused
from unit.cli.stage import Stage

CHECKOUT = Path(__file__).resolve().parents[3]
DECIDED = """\
project_id: my-project
region: europe-west1
firestore_location: eur3
allowed_emails: ["*@example.com"]
domain: notebooks.example.com
identity: {mode: oidc, issuer: "https://accounts.google.com", client_id: client}
"""
BUCKET = "gs://my-project-kupyterhub-state"
STATE = f"{BUCKET}/kupyterhub"


@dataclass
class FakeGcloud:
    """Answers by how a command begins; of several answers one after the other, and the last for ever."""

    answers: dict[str, list[Any]]
    calls: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def run(self, *arguments: str, given: str | None = None) -> str:
        call = " ".join(arguments)
        self.calls.append(call)
        self.given += [given] if given is not None else []
        for start, answers in self.answers.items():
            if call.startswith(start):
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if isinstance(answer, Exception):
                    raise answer
                return answer if isinstance(answer, str) else json.dumps(answer)
        return ""

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments) or "null")


NO = GcloudRefused("NOT_FOUND")


def at(stage: Stage, answers: dict[str, list[Any]] | None = None, text: str | None = DECIDED) -> FakeGcloud:
    """Somebody in a checkout, which is a commit, with Google's answers."""
    folder = stage.session.folder
    for part in ("infra/deploy", "infra/gcp", "infra/local/kupyterhub_local"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).symlink_to(CHECKOUT / part)
    if text is not None:
        (folder / "installation.yaml").write_text(text)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(folder))
    for command in (("init", "-q"), ("add", "infra"), ("commit", "-qm", "first")):
        subprocess.run([*git, *command], check=True)
    gcloud = FakeGcloud({**(answers or {}), "secrets versions list": [[{"name": "1"}]]})
    stage.session.gcloud = lambda _: gcloud  # type: ignore[method-assign]
    return gcloud


def commit(stage: Stage) -> str:
    command = ["git", "-C", str(stage.session.folder), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def ended(status: str = "SUCCESS", **steps: str) -> dict[str, Any]:
    timing = {"startTime": "2026-01-01T10:00:00.5Z", "endTime": "2026-01-01T10:02:03Z"}
    made = [{"id": name, "status": each, "timing": timing} for name, each in steps.items()]
    return {"id": "b1", "status": status, "steps": made, "logUrl": "https://example.com/b1"}


PREPARED: dict[str, list[Any]] = {
    "storage ls": [f"{BUCKET}/\ngs://another/"],
    "iam service-accounts describe": [{}],
    f"storage cat {STATE}/variables": [DECIDED],
    f"storage cat {STATE}/data/default.tflock": [NO],
    f"storage cat {STATE}/system/default.tflock": [NO],
    f"storage cat {STATE}/system/default.tfstate": [{"outputs": {}}],
    "artifacts docker": [NO],
    "builds list": [[]],
    "beta builds submit": ["b1"],
    "builds describe": [ended(test="SUCCESS", release="SUCCESS")],
    "logging read": [""],
}


@pytest.fixture(autouse=True)
def _no_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kupyterhub_cli.commands.checking.doctor", lambda _: None)


def test_five_answers_are_written_down(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(stage, {"config get-value account": ["me@example.com"]}, text=None)
    answers = "My Project\nmy-project\n\nnotebooks.example.com\n*@example.com; a@b.org\nhere\n\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    assert stage.run("init") == 0
    file = stage.session.folder / "installation.yaml"
    decided = yaml.safe_load(file.read_text())
    assert (decided["project_id"], decided["region"]) == ("my-project", "europe-west1")
    assert decided["allowed_emails"] == ["*@example.com", "a@b.org"]
    assert decided["admins"] == decided["alert_emails"] == ["me@example.com"]
    assert decided["domain"] == "notebooks.example.com"
    said = capsys.readouterr().err
    assert "project's id" in said
    assert "here is no e-mail address" in said
    assert "fill in" not in said
    assert stage.run("init") == 2
    assert "is there already" in capsys.readouterr().err


def test_without_a_domain_it_is_googles_proxy() -> None:
    answers = {"project": "my-project", "region": "r-a1", "domain": "", "allowed": "*@b.org", "admin": "a@b.org"}
    decided = yaml.safe_load(questions.written(answers))
    assert decided["proxy"] == "hosted"
    assert "domain" not in decided


@pytest.mark.parametrize(
    "answer", ["", "nobody", "*", "a@example.com, b", "@example.com", "*@*", "*@*.com", "*@exa*.com", "*@example"]
)
def test_what_is_no_pattern_is_asked_for_again(answer: str) -> None:
    allowed = next(question for question in questions.QUESTIONS if question.name == "allowed")
    assert allowed.wrong(answer)
    assert not allowed.wrong("*@example.com, a@b.org, *@*.example.com, s*@example.com")


def test_quotas_are_what_the_page_says() -> None:
    least, most = needed({})
    page = (CHECKOUT / "docs/install.md").read_text()
    assert f"| `CPUS` of the region | {least['CPUS']} | {most['CPUS']} |" in page
    assert f"| `SSD_TOTAL_GB` of the region | {least['SSD_TOTAL_GB']} | {most['SSD_TOTAL_GB']:,}, and" in page
    assert f"| `IN_USE_ADDRESSES` of the region | {least['IN_USE_ADDRESSES']} |" in page


@pytest.mark.parametrize(
    ("decided", "metric", "least", "most"),
    [
        ({"proxy": "hosted"}, "CPUS", 16, 128),
        ({"system_pool": {"machine_type": "n2-standard-2", "max_nodes": 2}}, "CPUS", 8, 80),
        ({"system_pool": {"machine_type": "n2-standard-2", "max_nodes": 2}}, "N2_CPUS", 2, 4),
        ({"system_pool": {"machine_type": "e2-medium"}}, "CPUS", 10, 92),
        ({"notebook_pools": {"a": {"machine_type": "a2-highgpu-1g"}}}, "CPUS", 6, 24),
        ({"notebook_pools": {"a": None, "b": {"max_nodes": 2, "min_nodes": 2}}}, "CPUS", 28, 120),
        ({"notebook_pools": {"a": {"gpu": {"type": "nvidia-l4", "count": 2}}}}, "NVIDIA_L4_GPUS", 2, 20),
        (
            {"notebook_pools": {"a": {"gpu": {"type": "nvidia-tesla-t4"}, "spot": True}}},
            "PREEMPTIBLE_NVIDIA_T4_GPUS",
            1,
            10,
        ),
        (
            {"system_pool": {"max_nodes": None}, "notebook_pools": {"a": {"disk_gb": None, "gpu": {}}}},
            "CPUS",
            12,
            104,
        ),
        ({"autopilot": True, "notebook_pools": {"a": {}}}, "CPUS", 8, 8),
    ],
)
def test_quotas_follow_the_pools(decided: dict[str, Any], metric: str, least: int, most: int) -> None:
    counted = needed(decided)
    assert (counted[0][metric], counted[1][metric]) == (least, most)


def test_what_is_left_is_compared_and_what_is_not_listed_is_not() -> None:
    region = [{"metric": "CPUS", "limit": 24.0, "usage": 20.0}, {"metric": "SSD_TOTAL_GB", "limit": 500.0}]
    found = {each.metric: each for each in short({}, region, [{"metric": "CPUS_ALL_REGIONS", "limit": 1000.0}])}
    assert set(found) == {"CPUS", "SSD_TOTAL_GB"}
    assert found["CPUS"].stops
    assert not found["SSD_TOTAL_GB"].stops
    gpu = {"notebook_pools": {"a": {"gpu": {"type": "nvidia-l4"}}}}
    assert {each.metric for each in short(gpu, [], []) if each.stops} == {"NVIDIA_L4_GPUS"}


def test_preparing_says_what_is_short_and_ends_so(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    few = [{"metric": "CPUS", "limit": 8.0, "usage": 0.0}]
    at(
        stage,
        {
            "billing": [{"billingEnabled": True}],
            "storage ls": [""],
            "iam service-accounts describe": [NO],
            "compute regions": [GcloudRefused("API [compute.googleapis.com] not enabled"), {"quotas": few}],
            "compute project-info": [{"quotas": []}],
            "projects describe": [{"projectNumber": "1"}],
            "dns managed-zones list": [[]],
        },
    )
    assert stage.run("prepare") == 5
    said = capsys.readouterr().err
    assert "CPUS: 8 left, 12 needed to begin, 104 with all in use" in said
    assert "With these quotas a deploy fails" in said


def test_a_project_that_nobody_pays_for_is_refused(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    gcloud = at(stage, {"billing": [{"billingEnabled": False}]})
    assert stage.run("prepare") == 1
    assert "has no billing account" in capsys.readouterr().err
    assert len(gcloud.calls) == 1


def test_what_is_hopeless_is_not_tried_again(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = GcloudRefused("Invalid value for field 'region': 'europe-west99'")
    gcloud = at(stage, {"billing": [NO], "compute regions": [wrong]})
    assert stage.run("prepare") == 1
    said = capsys.readouterr().err
    assert "europe-west99" in said
    assert "quotas" in said
    assert "FAILED" in said
    assert len([call for call in gcloud.calls if "regions" in call]) == 1


def test_a_zone_of_another_domain_is_refused(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    answers: dict[str, list[Any]] = {
        "billing": [NO],
        "storage ls": [""],
        "iam service-accounts describe": [NO],
        "compute": [{}],
        "projects describe": [{"projectNumber": "1"}],
        "dns managed-zones describe": [{"dnsName": "ample.com."}],
    }
    at(stage, answers, text=f"{DECIDED}dns_zone: other\n")
    assert stage.run("prepare") == 1
    assert "notebooks.example.com is not in" in capsys.readouterr().err


def test_a_deploy_shows_each_step_and_what_is_left(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {
        "dns_records": {"value": {"wildcard": {"name": "*.n.example.com.", "type": "A", "data": "203.0.113.7"}}},
        "portal": {"value": {"url": "https://portal.n.example.com"}},
    }
    mark = 'Step #10 - "release": == what lasts'
    working = {**ended("WORKING", test="SUCCESS"), "steps": [*ended(test="SUCCESS")["steps"], {"id": "release"}]}
    gcloud = at(
        stage,
        {
            **PREPARED,
            "builds describe": [working, ended(test="SUCCESS", release="SUCCESS")],
            "logging read": [mark, f'{mark}\nStep #10 - "release": == the cluster\nx": a == b'],
            f"storage cat {STATE}/system/default.tfstate": [{"outputs": outputs}],
        },
    )
    assert stage.run("deploy") == 0
    said = capsys.readouterr().err
    assert [said.count(each) for each in ("what lasts", "the cluster", "test  ", "release  ")] == [1, 1, 1, 1]
    assert "done      2:02" in said
    assert "*.n.example.com. A 203.0.113.7" in said
    assert "https://portal.n.example.com" in said
    assert "a == b" not in said
    (submitted,) = [call for call in gcloud.calls if "builds submit" in call]
    assert f"--substitutions=_REGION=europe-west1,COMMIT_SHA={commit(stage)},_TESTED= " in submitted


def test_a_step_that_fails_says_what_it_needs(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Those beside it are cancelled, or never heard of again."""
    failed = ended("FAILURE", test="CANCELLED", sbom="WORKING", plan="FAILURE", release="QUEUED")
    log = 'Step #4 - "plan": the last\nStep #0 - "test": of another\nStep #4 - "plan": before it'
    at(stage, {**PREPARED, "builds describe": [failed], "logging read": ["", log]})
    assert stage.run("deploy") == 1
    said = capsys.readouterr().err
    assert said.index("before it") < said.index("the last") < said.index("The step plan failed")
    assert "of another" not in said
    assert "Mend what it says, and deploy again" in said
    assert "https://example.com/b1" in said


def test_a_refusal_or_two_do_not_end_the_following(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    away = GcloudRefused("503")
    gcloud = at(stage, {**PREPARED, "builds describe": [away, away, ended(test="SUCCESS")]})
    assert stage.run("deploy") == 0
    gcloud.answers["builds describe"] = [away]
    assert stage.run("deploy") == 1
    assert "goes on without you" in capsys.readouterr().err


def test_the_commit_alone_is_submitted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gcloud = at(stage, PREPARED)
    (stage.session.folder / "everybody.csv").write_text("ada@example.com")
    submitted = []

    def run(*arguments: str, given: str | None = None) -> str:
        if "submit" in arguments:
            with tarfile.open(arguments[3]) as archive:
                submitted.extend(archive.getnames())
        return FakeGcloud.run(gcloud, *arguments, given=given)

    monkeypatch.setattr(gcloud, "run", run)
    assert stage.run("deploy") == 0
    assert "infra/deploy" in submitted
    assert not {"everybody.csv", "installation.yaml"} & set(submitted)


@pytest.mark.parametrize("command", ["storage ls", "iam service-accounts describe", "secrets describe"])
def test_what_cannot_be_found_out_is_not_absent(stage: Stage, command: str) -> None:
    gcloud = at(stage, {command: [GcloudRefused("503 unavailable")], **PREPARED})
    gcloud.answers[command] = [GcloudRefused("503 unavailable")]
    assert stage.run("deploy") == 1
    assert stage.run("uninstall", "--everything", "--yes") == 1
    assert not [call for call in gcloud.calls if " create " in call or " add " in call]


def test_a_build_of_the_same_is_followed_and_of_another_is_waited_for(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    gcloud = at(stage, PREPARED)
    by_trigger = [{"id": "b0", "substitutions": {"COMMIT_SHA": commit(stage)}}]
    gcloud.answers["builds list"] = [[], by_trigger]
    assert stage.run("deploy") == 0
    assert not [call for call in gcloud.calls if "submit" in call or call.startswith(("storage cp", "storage rm"))]
    (stage.session.folder / "installation.yaml").write_text(f"{DECIDED}self_enrolment: true\n")
    for command in (["deploy"], ["rollback"], ["uninstall", "--yes"]):
        gcloud.answers["storage objects list"] = ["default.tfstate"]
        assert stage.run(*command) == 1
        assert "gcloud builds cancel b0 --project=my-project" in capsys.readouterr().err
    assert not [call for call in gcloud.calls if "submit" in call]


@pytest.mark.parametrize(("command", "script"), [("rollback", "rollback.sh"), ("uninstall", "uninstall.sh")])
def test_the_ways_back_are_followed_too(stage: Stage, command: str, script: str) -> None:
    argument = "system" if command == "uninstall" else ""
    gcloud = at(stage, {**PREPARED, "storage objects list": ["default.tfstate"]})
    gcloud.answers["builds list"] = [[{"id": "b0", "substitutions": {"_SCRIPT": script, "_ARGUMENT": argument}}]]
    assert stage.run(command, *(["--yes"] if argument else [])) == 0
    assert "builds describe b0" in "\n".join(gcloud.calls)
    assert not [call for call in gcloud.calls if "submit" in call]


def test_what_is_new_is_kept_and_what_would_go_is_asked_about(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    gcloud = at(stage, PREPARED, text=f"\n{DECIDED}self_enrolment: true\n")
    assert stage.run("deploy") == 0
    assert [call for call in gcloud.calls if call.startswith("storage cp") and "variables/installation.yaml" in call]
    gcloud.answers[f"storage cat {STATE}/variables"] = [f"{DECIDED}autopilot: true"]
    gcloud.calls.clear()
    assert stage.run("deploy") == 6
    assert "-autopilot: true" in capsys.readouterr().err
    assert not [call for call in gcloud.calls if "submit" in call or call.startswith("storage cp")]
    assert stage.run("deploy", "--yes") == 0


@pytest.mark.parametrize(("who", "taken"), [("root@0a1b", True), ("ada@laptop", False)])
def test_a_lock_that_a_killed_build_left_is_taken_away(stage: Stage, who: str, *, taken: bool) -> None:
    lock = f"{STATE}/system/default.tflock"
    gcloud = at(stage, {**PREPARED, f"storage cat {lock}": [{"ID": "1", "Who": who}]})
    assert stage.run("deploy") == 0
    assert (f"storage rm {lock}" in gcloud.calls) is taken


def test_only_a_commit_is_deployed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    gcloud = at(stage, PREPARED)
    (stage.session.folder / "infra/gcp").unlink()
    (stage.session.folder / "infra/gcp").mkdir()
    for root in ("data", "system"):
        (stage.session.folder / "infra/gcp" / root).symlink_to(CHECKOUT / "infra/gcp" / root)
    assert stage.run("deploy") == 2
    assert "commit them first" in capsys.readouterr().err
    assert not [call for call in gcloud.calls if "submit" in call]


def test_a_project_that_is_not_prepared_is_said_to_be_so(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    at(stage, {**PREPARED, "iam service-accounts describe": [NO]})
    assert stage.run("deploy") == 2
    assert "kupyterhub prepare" in capsys.readouterr().err


def test_the_clients_secret_is_asked_for_and_shown_nowhere(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gcloud = at(stage, {"secrets describe": [NO], **PREPARED})
    assert stage.run("deploy") == 2  # nobody is there to be asked
    assert "gcloud secrets create kupyterhub-client-secret" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(signing_in, "getpass", lambda _: " a secret \n")
    assert stage.run("deploy") == 0
    assert gcloud.given == ["a secret"]
    assert "a secret" not in " ".join(gcloud.calls) + capsys.readouterr().err


def test_a_client_that_is_missing_is_explained(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    at(stage, PREPARED, text=DECIDED.replace("client_id: client", "client_id:") + "portal: {}\n")
    assert stage.run("deploy") == 2
    said = capsys.readouterr().err
    assert "https://login.notebooks.example.com/callback" in said
    assert "portal" not in said, "the portal has people sent to the sign-in host"


def test_a_new_checkout_gets_the_projects_file(stage: Stage) -> None:
    at(stage, PREPARED, text=None)
    assert stage.run("deploy") == 2
    assert stage.run("--project", "my-project", "deploy") == 0
    assert yaml.safe_load((stage.session.folder / "installation.yaml").read_text()) == yaml.safe_load(DECIDED)


def test_another_project_is_not_deployed_by_mistake(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    at(stage, PREPARED)
    assert stage.run("--project", "other-project", "deploy") == 2
    assert "other-project" in capsys.readouterr().err


def test_one_goes_back_by_a_build(stage: Stage) -> None:
    gcloud = at(stage, PREPARED)
    assert stage.run("rollback", commit(stage)[:7]) == 0
    (submitted,) = [call for call in gcloud.calls if "submit" in call]
    assert "by_hand.yaml" in submitted
    assert f"_SCRIPT=rollback.sh,_ARGUMENT={commit(stage)} " in submitted
    for no_commit in ("a; rm", "0a1b2c3", "--all"):
        assert stage.run("rollback", "--", no_commit) == 2


def test_taking_it_down_asks_for_the_projects_id(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gcloud = at(stage, PREPARED)
    for typed in ("", "yes", "my-other-project"):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        assert stage.run("uninstall", "--everything") == 6
        assert "Nothing was done" in capsys.readouterr().err
    assert not gcloud.calls
