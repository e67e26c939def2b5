"""Which known vulnerabilities end a build."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from terraform import scripts
from unit.deploy.conftest import CHECKOUT

TODAY = date(2026, 11, 24)
VULNERABILITY = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": ["CVE-1"], "description": "bad"}
AUDITED = {"dependencies": [{"name": "a", "version": "1.0", "vulns": [VULNERABILITY]}]}


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    return scripts.load("infra/deploy/vulnerabilities.py")


def occurrence(severity: str = "HIGH", fixed: str = "3.0.2", cvss: Any = None, **issue: Any) -> dict[str, Any]:
    """As scans of images based on Debian write it."""
    return {
        "noteName": "projects/goog-vulnz/notes/CVE-2026-1",
        "vulnerability": {
            "effectiveSeverity": severity,
            "cvssv3": cvss or {},
            "packageIssue": [
                {
                    "affectedCpeUri": "cpe:/o:debian:debian_linux:13",
                    "affectedPackage": "openssl",
                    "affectedVersion": {"kind": "NORMAL", "fullName": "3.0.1"},
                    "fixedCpeUri": "cpe:/o:debian:debian_linux:13",
                    "fixedVersion": {"kind": "NORMAL", "fullName": fixed} if fixed else {"kind": "MAXIMUM"},
                    "packageType": "OS",
                    "effectiveSeverity": severity,
                    **issue,
                }
            ],
        },
    }


def cvss(vector: str, privileges: str) -> dict[str, str]:
    return {"attackVector": f"ATTACK_VECTOR_{vector}", "privilegesRequired": f"PRIVILEGES_REQUIRED_{privileges}"}


@pytest.mark.parametrize(
    ("found", "ends"),
    [
        pytest.param(occurrence("CRITICAL"), True, id="critical and mended"),
        pytest.param(occurrence("CRITICAL", fixed=""), False, id="critical and mended nowhere"),
        pytest.param(occurrence("HIGH"), True, id="high and mended"),
        pytest.param(occurrence("HIGH", fixed=""), False, id="high and mended nowhere"),
        pytest.param(occurrence("MEDIUM"), False, id="medium"),
        pytest.param(
            occurrence(fixedCpeUri="cpe:/o:debian:debian_linux:14"), False, id="mended in another Debian than ours"
        ),
        pytest.param(occurrence(cvss=cvss("NETWORK", "NONE")), True, id="from elsewhere"),
        pytest.param(occurrence(cvss=cvss("NETWORK", "LOW")), True, id="from elsewhere, by who is signed in"),
        pytest.param(occurrence(cvss=cvss("LOCAL", "NONE")), True, id="by a file that somebody opens"),
        pytest.param(occurrence(cvss=cvss("LOCAL", "LOW")), False, id="by who runs programs there already"),
        pytest.param(occurrence(cvss=cvss("LOCAL", "HIGH")), False, id="by who is root there already"),
        pytest.param(occurrence(cvss=cvss("PHYSICAL", "NONE")), False, id="by who holds the machine"),
    ],
)
def test_of_images_those_count_that_are_mended_and_do_harm(
    judge: ModuleType,
    found: dict[str, Any],
    ends: bool,  # noqa: FBT001
) -> None:
    assert bool(judge.refused(judge.of_images([found], "agent"), frozenset())) is ends


def test_it_is_said_why_one_does_not_count(judge: ModuleType) -> None:
    (harmless,) = judge.of_images([occurrence(cvss=cvss("LOCAL", "LOW"))], "agent")
    assert str(harmless) == "CVE-2026-1 in openssl 3.0.1: high, mended in 3.0.2, of no use to who is not in already"
    (unmended,) = judge.of_images([occurrence(fixed="")], "agent")
    assert str(unmended) == "CVE-2026-1 in openssl 3.0.1: high, mended nowhere"


def test_of_packages_each_counts_that_is_mended(judge: ModuleType) -> None:
    vulnerabilities = [VULNERABILITY, {**VULNERABILITY, "id": "PYSEC-2", "fix_versions": []}]
    report = {"dependencies": [{"name": "a", "version": "1.0", "vulns": vulnerabilities}]}
    mended, unmended = judge.of_packages(report, "agent")
    assert judge.refused([mended, unmended], frozenset()) == [mended]
    assert str(mended) == "PYSEC-1 in a 1.0: not rated, mended in 2.0"
    assert judge.refused([mended], frozenset({"CVE-1"})) == []


IMAGES_ANEW = "git commit --allow-empty --message='Images with what Debian has mended'"
LOCKS_ANEW = "docker/lock --upgrade && git commit --all --message='Newer Python packages in the images'"


@pytest.mark.parametrize(
    ("kind", "report", "command"),
    [
        pytest.param("images agent", [occurrence()], IMAGES_ANEW, id="a package of Debian"),
        pytest.param("images agent", [occurrence(packageType="PYPI")], LOCKS_ANEW, id="of Python, in an image"),
        pytest.param("packages agent", AUDITED, LOCKS_ANEW, id="of Python, in a lock"),
        pytest.param("packages functions", AUDITED, "other ranges in requirements.txt", id="of the functions"),
    ],
)
def test_the_command_that_takes_it_up_is_named(
    judge: ModuleType, tmp_path: Path, kind: str, report: Any, command: str
) -> None:
    read, _, of = kind.partition(" ")
    file = tmp_path / f"{of}.json"
    file.write_text(json.dumps(report))
    with pytest.raises(judge.Unjudged) as refused:
        judge.main(read, str(file))
    text = str(refused.value)
    assert command in text
    assert text.count("git commit") == 1
    assert text.endswith("or accept it for a while, in infra/deploy/accepted-vulnerabilities.txt")


def test_what_one_command_takes_up_stands_together(judge: ModuleType, tmp_path: Path) -> None:
    found = [
        occurrence(),
        occurrence(affectedPackage="flask", packageType="PYPI"),
        occurrence(affectedPackage="zlib"),
    ]
    files = [tmp_path / "agent.json", tmp_path / "proxy.json"]
    for file in files:
        file.write_text(json.dumps(found))
    with pytest.raises(judge.Unjudged) as refused:
        judge.main("images", *map(str, files))
    assert str(refused.value).splitlines()[1:-1] == [
        f"  {IMAGES_ANEW}",
        "    CVE-2026-1 in openssl 3.0.1: high, mended in 3.0.2",
        "    CVE-2026-1 in zlib 3.0.1: high, mended in 3.0.2",
        f"  {LOCKS_ANEW}",
        "    CVE-2026-1 in flask 3.0.1: high, mended in 3.0.2",
    ]


def test_a_package_that_nobody_knows_of_is_no_good_news(judge: ModuleType) -> None:
    with pytest.raises(judge.Unjudged, match="told nothing of the vulnerabilities of a"):
        list(judge.of_packages({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, "agent"))


def test_what_is_accepted_is_let_pass_until_its_date(judge: ModuleType) -> None:
    text = "# a comment\nCVE-1 2026-11-24 never run\nCVE-2 2026-11-23 never run\n"
    assert judge.accepted(text, TODAY) == {"CVE-1"}


@pytest.mark.parametrize("line", ["CVE-1 2026-12-31", "CVE-1 soon because", "CVE-1"])
def test_an_exception_without_date_or_reason_is_refused(judge: ModuleType, line: str) -> None:
    with pytest.raises(judge.Unjudged, match="line 1"):
        judge.accepted(line, TODAY)


@pytest.mark.parametrize(("vulnerabilities", "status"), [([], 0), ([VULNERABILITY], 1)], ids=["none", "one"])
def test_a_build_ends_where_something_matters(vulnerabilities: list[Any], status: int, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"dependencies": [{"name": "a", "version": "1.0", "vulns": vulnerabilities}]}))
    command = [sys.executable, CHECKOUT / "infra/deploy/vulnerabilities.py", "packages", report]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("PYSEC-1 in a 1.0" in done.stderr) is bool(vulnerabilities)


def test_the_list_of_this_checkout_can_be_read(judge: ModuleType) -> None:
    assert judge.accepted(judge.ACCEPTED.read_text(), TODAY) == frozenset()
