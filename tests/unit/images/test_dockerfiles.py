"""The Dockerfiles, as they are read."""

import re
from pathlib import Path

import pytest

DOCKER = Path(__file__).resolve().parents[3] / "docker"
IMAGES = ["agent", "jupyterlab", "proxy"]


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
