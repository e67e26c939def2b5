"""The Dockerfiles, as they are read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCKER = Path(__file__).resolve().parents[3] / "docker"
IMAGES = ["agent", "jupyterlab", "proxy"]


def hadolint(dockerfile: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("hadolint"), "--config", DOCKER / ".hadolint.yaml", dockerfile]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("image", IMAGES)
def test_hadolint_finds_nothing(image: str) -> None:
    found = hadolint(DOCKER / image / "Dockerfile")
    assert (found.returncode, found.stdout) == (0, "")


def test_hadolint_sees_what_it_should(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN apt-get install curl\n")
    found = hadolint(tmp_path / "Dockerfile")
    assert found.returncode == 1
    assert "DL3006" in found.stdout


@pytest.mark.parametrize("image", IMAGES)
def test_it_starts_from_what_its_arguments_say(image: str) -> None:
    bases = re.findall(r"^FROM (\S+)", (DOCKER / image / "Dockerfile").read_text(), re.MULTILINE)
    assert set(bases) <= {"${PYTHON}", "${BASE}"}


@pytest.mark.parametrize("image", IMAGES)
def test_it_ends_as_nobody_in_particular_by_number(image: str) -> None:
    users = re.findall(r"^USER (.*)$", (DOCKER / image / "Dockerfile").read_text(), re.MULTILINE)
    assert users[-1] == "1000:1000"


@pytest.mark.parametrize("image", IMAGES)
def test_nothing_but_what_is_locked_by_hash_is_installed(image: str) -> None:
    code = [line for line in (DOCKER / image / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(code).replace("\\\n", " ")
    installs = re.findall(r"pip .*?install (.*?)(?:&&|$)", text, re.MULTILINE)
    assert len(installs) == 1
    assert {"--require-hashes", "--no-deps", "requirements.lock"} <= set(installs[0].split())


@pytest.mark.parametrize("image", IMAGES)
def test_what_it_copies_reaches_the_builder(image: str) -> None:
    kept = {
        line.removeprefix("!") for line in (DOCKER / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    text = (DOCKER / image / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )?(\S+) \S+$", text, re.MULTILINE)
    assert copied
    assert {path.rstrip("/") for path in copied} <= kept
