"""The archive that Cloud Functions build from."""

import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from terraform import scripts
from terraform.roots import CHECKOUT


@pytest.fixture(scope="module")
def packer() -> ModuleType:
    return scripts.load("infra/gcp/package_functions.py")


def _checkout(folder: Path) -> Path:
    for name in ("functions/main.py", "functions/kupyterhub/__init__.py", "requirements.txt", "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "functions/__pycache__").mkdir()
    (folder / "functions/__pycache__/main.pyc").write_text("")
    return folder


def test_it_holds_what_gcloud_would_upload(packer: ModuleType, tmp_path: Path) -> None:
    packer.package(_checkout(tmp_path), tmp_path / "out.zip")
    assert zipfile.ZipFile(tmp_path / "out.zip").namelist() == [
        "requirements.txt",
        "functions/kupyterhub/__init__.py",
        "functions/main.py",
    ]
    ignored = (CHECKOUT / ".gcloudignore").read_text().splitlines()
    assert [line for line in ignored if line and not line.startswith("#")] == [
        "*",
        "!requirements.txt",
        "!functions",
        "!functions/**",
        "**/__pycache__/**",
    ]


def test_the_same_files_give_the_same_bytes(packer: ModuleType, tmp_path: Path) -> None:
    checkout = _checkout(tmp_path)
    packer.package(checkout, tmp_path / "first.zip")
    (checkout / "functions/main.py").touch(mode=0o755)
    packer.package(checkout, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_ours_holds_the_entry_points(packer: ModuleType) -> None:
    assert Path("functions/main.py") in set(packer.files(CHECKOUT))
