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


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    return scripts.load("infra/deploy/vulnerabilities.py")


def occurrence(severity: str, fixed: str = "") -> dict[str, Any]:
    version = {"kind": "NORMAL", "fullName": fixed} if fixed else {"kind": "MAXIMUM"}
    return {
        "noteName": "projects/goog-vulnz/notes/CVE-2026-1",
        "vulnerability": {
            "effectiveSeverity": severity,
            "packageIssue": [
                {
                    "affectedPackage": "openssl",
                    "affectedVersion": {"kind": "NORMAL", "fullName": "3.0.1"},
                    "fixedVersion": version,
                    "effectiveSeverity": severity,
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("severity", "fixed", "ends"),
    [
        pytest.param("CRITICAL", "", True, id="critical"),
        pytest.param("HIGH", "3.0.2", True, id="high and mended"),
        pytest.param("HIGH", "", False, id="high and mended nowhere"),
        pytest.param("MEDIUM", "3.0.2", False, id="medium"),
    ],
)
def test_of_images_those_count_that_matter(judge: ModuleType, severity: str, fixed: str, ends: bool) -> None:  # noqa: FBT001
    found = list(judge.of_images([occurrence(severity, fixed)]))
    assert bool(judge.refused(found, frozenset())) is ends


def test_of_packages_each_counts(judge: ModuleType) -> None:
    (found,) = judge.of_packages({"dependencies": [{"name": "a", "version": "1.0", "vulns": [VULNERABILITY]}]})
    assert judge.refused([found], frozenset()) == [found]
    assert str(found) == "PYSEC-1 in a 1.0: critical, mended in 2.0"
    assert judge.refused([found], frozenset({"CVE-1"})) == []


def test_a_package_that_nobody_knows_of_is_no_good_news(judge: ModuleType) -> None:
    with pytest.raises(judge.Unjudged, match="told nothing of the vulnerabilities of a"):
        list(judge.of_packages({"dependencies": [{"name": "a", "skip_reason": "not found"}]}))


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
