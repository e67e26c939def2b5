"""What all images start from."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
IMAGES = ["agent", "jupyterlab", "proxy"]
BUILD = Path("cloudbuild.yaml")
DOCKERFILES = [Path("docker", image, "Dockerfile") for image in IMAGES]
_BASE = re.compile(
    r"^# Released on (\d{4}-\d\d-\d\d); docker/base takes up a newer one\.\n"
    r"ARG PYTHON=docker\.io/library/python:(\d+\.\d+\.\d+)-slim-trixie$",
    re.MULTILINE,
)


def base(dockerfile: Path) -> tuple[str, str]:
    """The day on which it was released, and its version."""
    found = _BASE.findall(dockerfile.read_text())
    assert len(found) == 1
    return found[0][0], found[0][1]


def last_stage_of_the_base(image: str) -> str:
    text = (CHECKOUT / "docker" / image / "Dockerfile").read_text()
    return text.rpartition("FROM ${PYTHON}")[2]


def test_all_have_the_same_base() -> None:
    assert len({base(CHECKOUT / dockerfile) for dockerfile in DOCKERFILES}) == 1


def test_a_build_tests_with_what_its_images_have() -> None:
    _, version = base(CHECKOUT / DOCKERFILES[0])
    assert f"name: docker.io/library/python:{version}-trixie\n" in (CHECKOUT / BUILD).read_text()


@pytest.mark.parametrize("image", IMAGES)
def test_what_debian_has_mended_is_in_the_image(image: str) -> None:
    assert "\nRUN apt-get update \\\n    && apt-get -y upgrade \\\n" in last_stage_of_the_base(image)


@pytest.mark.parametrize("image", IMAGES)
def test_the_bases_pip_is_not_in_the_image(image: str) -> None:
    """It stays of one version, whatever is found in it; where people need one, the lock has it."""
    assert "/usr/local/lib/python3*/site-packages/pip*" in last_stage_of_the_base(image)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of no more than what names the base."""
    for name in [*DOCKERFILES, BUILD, Path("docker/base")]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def take_up(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([copy / "docker/base", *arguments], capture_output=True, text=True, check=False)


def test_one_command_takes_up_a_newer_base(copy: Path) -> None:
    assert take_up(copy, "3.12.99", "2027-01-31").returncode == 0
    assert {base(copy / dockerfile) for dockerfile in DOCKERFILES} == {("2027-01-31", "3.12.99")}
    build = (copy / BUILD).read_text()
    assert "name: docker.io/library/python:3.12.99-trixie\n" in build
    _, before = base(CHECKOUT / DOCKERFILES[0])
    assert build.replace("3.12.99", before) == (CHECKOUT / BUILD).read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["3.12.99"], id="no day"),
        pytest.param(["3.12", "2027-01-31"], id="a tag that moves"),
        pytest.param(["3.12.99", "yesterday"], id="no date"),
        pytest.param(["3.12.99", "2027-02-31"], id="no day of any month"),
    ],
)
def test_what_is_no_version_of_a_day_changes_nothing(copy: Path, arguments: list[str]) -> None:
    done = take_up(copy, *arguments)
    assert done.returncode != 0
    assert "docker/base 3.12.16 2026-12-01" in done.stderr
    for name in [*DOCKERFILES, BUILD]:
        assert (copy / name).read_text() == (CHECKOUT / name).read_text()
