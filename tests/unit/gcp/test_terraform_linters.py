"""Checkov and TFLint find nothing in infra/gcp, and each exception says why it is one."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from terraform import linters
from terraform.roots import ROOTS


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=300
    )


def test_checkov_finds_nothing() -> None:
    packages = asyncio.run(linters.checkov())
    done = _run(
        *(sys.executable, "-m", "checkov.main", "--directory", str(ROOTS), "--framework", "terraform"),
        *("--skip-download", "--quiet", "--compact", "--output", "json"),
        PYTHONPATH=str(packages),
    )
    report = json.loads(done.stdout)
    assert [f"{c['check_id']} {c['resource']}" for c in report["results"]["failed_checks"]] == []
    assert report["summary"]["passed"] >= 40
    assert done.returncode == 0


def test_each_exception_says_why() -> None:
    for file in ROOTS.rglob("*.tf"):
        for line in file.read_text().splitlines():
            if "checkov:skip" in line:
                found = re.search(r"#checkov:skip=CKV2?_GCP_\d+:(.+[.])$", line)
                assert found is not None, line
                assert len(found[1].split()) >= 5, line


@pytest.mark.parametrize("name", ["data", "system"])
def test_tflint_finds_nothing(name: str) -> None:
    program = asyncio.run(linters.tflint())
    done = _run(str(program), f"--chdir={ROOTS / name}", f"--config={ROOTS / '.tflint.hcl'}", "--format=compact")
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


def test_tflint_sees_what_it_should(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text('variable "unused" {}\n')
    program = asyncio.run(linters.tflint())
    done = _run(str(program), f"--chdir={tmp_path}", f"--config={ROOTS / '.tflint.hcl'}", "--format=compact")
    for rule in ("terraform_unused_declarations", "terraform_documented_variables", "terraform_typed_variables"):
        assert rule in done.stdout
