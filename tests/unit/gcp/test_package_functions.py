"""The archive that Cloud Functions build from."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from terraform import scripts
from terraform.roots import CHECKOUT

SETTINGS = """
domain: localhost:8001
allowedEmails: ["*@example.com"]
images: {agent: "agent:1", jupyterlab: "jupyterlab:1"}
profiles: {default: {}}
"""
# Where the portal's own files come from, where it sends people to sign in, a page, and its style.
SERVE = r"""
import re, sys
import functions_framework, kupyterhub_portal
app = functions_framework.create_app("portal", sys.argv[1], "http").test_client()
sent = app.get("/", base_url="http://localhost:8000").headers["Location"].partition("?")[0]
page = app.get("/.kupyterhub/session", base_url="http://localhost:8000")
style = app.get(re.search(r'"(\S+portal.css\S*)"', page.text)[1], base_url="http://localhost:8000")
print(kupyterhub_portal.__file__, sent, page.status_code, style.status_code, style.mimetype)
"""


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


def test_the_portal_of_the_archive_leads_to_the_sign_in(packer: ModuleType, tmp_path: Path) -> None:
    packer.package(CHECKOUT, tmp_path / "out.zip")
    zipfile.ZipFile(tmp_path / "out.zip").extractall(tmp_path / "source")
    for name, text in (("settings.yaml", SETTINGS), ("key", "0" * 64)):
        (tmp_path / name).write_text(text)
    functions = tmp_path / "source/functions"
    done = subprocess.run(
        [sys.executable, "-c", SERVE, functions / "portal.py"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(functions),  # before the checkout's, which this environment knows, too
            "GOOGLE_CLOUD_PROJECT": "my-project",
            "FIRESTORE_EMULATOR_HOST": "localhost:1",  # which the page does not ask
            "KUPYTERHUB_PORTAL_URL": "http://localhost:8000",
            "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
            "KUPYTERHUB_SETTINGS": str(tmp_path / "settings.yaml"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    package, sent, *answers = done.stdout.split()
    assert package == str(functions / "kupyterhub_portal/__init__.py")
    assert sent == "http://login.localhost:8001/"
    assert answers == ["403", "200", "text/css"]
