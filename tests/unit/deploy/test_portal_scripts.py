"""What a deploy does for the portal beside Terraform: the client of Identity-Aware Proxy."""

import json
from typing import Any

import pytest

from unit.deploy.conftest import NOTE, Bench

SETS = (
    NOTE
    + """
[ "$2" != versions ] || echo the-clients-secret
[ "$2" != settings ] || cp "$4" "$(dirname "$CALLS")/settings"
"""
)
URL = "https://portal.example.com"


def _outputs(portal: dict[str, Any] | None) -> str:
    return json.dumps({"portal": {"value": portal}})


@pytest.fixture
def portal(bench: Bench) -> Bench:
    bench.take("portal_client.sh", "client_secret.sh", "installation.py")
    return bench


def test_a_client_of_ones_own_is_set_and_its_secret_told_to_nobody(portal: Bench) -> None:
    portal.program("bin/gcloud", SETS)
    done = portal.run("portal_client.sh", said=_outputs({"url": URL, "iap_client": "a-client"}))
    assert done.returncode == 0, done.stderr
    settings = (portal.folder / "settings").read_text()
    assert 'client_id: "a-client"' in settings
    assert 'client_secret: "the-clients-secret"' in settings
    assert any("--resource-type=compute --service=kupyterhub-portal" in call for call in portal.calls)
    assert "the-clients-secret" not in "\n".join([done.stdout, done.stderr, *portal.calls])


@pytest.mark.parametrize("portal_output", [None, {"url": URL, "iap_client": None}], ids=["no portal", "Google's own"])
def test_without_one_nothing_is_set(portal: Bench, portal_output: dict[str, Any] | None) -> None:
    assert portal.run("portal_client.sh", said=_outputs(portal_output)).returncode == 0
    assert portal.calls == []


def test_a_secret_that_is_missing_is_asked_for(portal: Bench) -> None:
    portal.program("bin/gcloud", NOTE + "exit 1\n")
    done = portal.run("portal_client.sh", said=_outputs({"url": URL, "iap_client": "a-client"}))
    assert done.returncode == 1
    assert "kupyterhub deploy asks for it" in done.stderr
    assert not [call for call in portal.calls if "iap settings" in call]
