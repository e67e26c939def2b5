"""The proxy server on GKE is told of a portal where there is one."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from cluster.gateway.gateways import outputs
from needed import need

PORTAL = {"value": {"url": "https://portal.notebooks.example.org"}}


def _told(overlay: Any, folder: Path, installation: dict[str, Any]) -> dict[str, str]:
    for path, text in overlay.files(installation, os.path.relpath(overlay.PROXY, folder.resolve())).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    made = subprocess.run([need("kubectl"), "kustomize", folder], capture_output=True, text=True, check=True).stdout
    server = next(each for each in yaml.safe_load_all(made) if each["kind"] == "Deployment")
    return {
        each["name"]: each.get("value", "") for each in server["spec"]["template"]["spec"]["containers"][0]["env"]
    }


def test_it_is_told_where_the_portal_is(overlay: Any, tmp_path: Path) -> None:
    told = _told(overlay, tmp_path, outputs("oidc") | {"portal": PORTAL})
    assert told["KUPYTERHUB_PORTAL_URL"] == "https://portal.notebooks.example.org"
    assert told["KUPYTERHUB_DOMAIN"] == "notebooks.example.org"


def test_without_a_portal_it_is_told_of_none(overlay: Any, tmp_path: Path) -> None:
    assert "KUPYTERHUB_PORTAL_URL" not in _told(overlay, tmp_path, outputs("iap") | {"portal": {"value": None}})
