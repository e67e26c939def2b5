"""Requirements and their locks are changed together."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DOCKER = Path(__file__).resolve().parents[3] / "docker"
IMAGES = ["agent", "jupyterlab", "proxy"]
_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+).*?\n(?P<rest>(?:^ .*\n)+)", re.MULTILINE
)


def requirements(image: str) -> list[Requirement]:
    lines = (
        line.partition("#")[0].strip() for line in (DOCKER / image / "requirements.txt").read_text().splitlines()
    )
    return [Requirement(line) for line in lines if line]


def lock(image: str) -> list[re.Match[str]]:
    """Packages; one may be there twice, for another Python or system each."""
    return list(_ENTRY.finditer((DOCKER / image / "requirements.lock").read_text()))


@pytest.mark.parametrize("image", IMAGES)
def test_the_lock_answers_the_requirements(image: str) -> None:
    """If not: docker/lock writes it anew."""
    locked = {canonicalize_name(entry["name"]): entry["version"] for entry in lock(image)}
    for requirement in requirements(image):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in the lock"
        assert version in requirement.specifier, f"{requirement}, but the lock has {version}"


@pytest.mark.parametrize("image", IMAGES)
def test_nothing_is_in_the_lock_for_a_requirement_that_is_gone(image: str) -> None:
    asked = {
        canonicalize_name(entry["name"]) for entry in lock(image) if f"-r {image}/requirements.txt" in entry["rest"]
    }
    assert asked == {canonicalize_name(requirement.name) for requirement in requirements(image)}


@pytest.mark.parametrize("image", IMAGES)
def test_every_package_has_hashes(image: str) -> None:
    text = (DOCKER / image / "requirements.lock").read_text()
    assert len(lock(image)) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert all("--hash=sha256:" in entry["rest"] for entry in lock(image))


@pytest.mark.parametrize("image", IMAGES)
def test_no_index_is_named(image: str) -> None:
    assert "://" not in (DOCKER / image / "requirements.lock").read_text()


@pytest.mark.parametrize("image", IMAGES)
def test_the_bill_of_materials_has_every_package_of_the_lock(image: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    made = subprocess.run(
        [DOCKER / "sbom", image], capture_output=True, text=True, check=True, env=environment
    ).stdout
    bill = json.loads(made)
    assert bill["bomFormat"] == "CycloneDX"
    assert {(component["name"], component["version"]) for component in bill["components"]} == {
        (entry["name"], entry["version"]) for entry in lock(image)
    }
    assert all(component["purl"].startswith("pkg:pypi/") for component in bill["components"])


def test_the_tests_lock_answers_what_tests_need_in_the_versions_of_the_images() -> None:
    """If not: docker/lock writes it anew."""
    checkout = DOCKER.parent
    groups = tomllib.loads((checkout / "pyproject.toml").read_text())["dependency-groups"]
    wanted = [Requirement(each) for name in ("test", "local") for each in groups[name] if isinstance(each, str)]
    wanted += [
        Requirement(line) for line in (checkout / "requirements.txt").read_text().splitlines() if line[:1].isalpha()
    ]
    text = (checkout / "tests/requirements.lock").read_text()
    locked: dict[str, set[str]] = {}
    for entry in _ENTRY.finditer(text):
        assert "--hash=sha256:" in entry["rest"], entry["name"]
        locked.setdefault(canonicalize_name(entry["name"]), set()).add(entry["version"])
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in the lock"
        assert all(version in requirement.specifier for version in versions), requirement
    for image in IMAGES:
        for entry in lock(image):
            assert entry["version"] in locked[canonicalize_name(entry["name"])], (image, entry["name"])
    assert "://" not in text
