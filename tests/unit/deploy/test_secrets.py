"""Secrets that nobody needs to know are made once, and told to nobody."""

import json
from pathlib import Path
from typing import Any

import pytest

from unit.deploy.conftest import NOTE, Bench

# Keeps each secret's versions in a folder of its name.
SECRETS = (
    NOTE
    + """
kept=$(dirname "$CALLS")/secrets
case "$1 $2 $3" in
"secrets versions list") [ ! -d "$kept/$4" ] || ls "$kept/$4" ;;
"secrets versions add") mkdir -p "$kept/$4" && cat >"$kept/$4/1" ;;
"secrets versions access") echo -n "what a person gave" ;;
"secrets describe "*) [ -e "$kept/$3" ] ;;
"secrets create "*) mkdir -p "$kept/$3" ;;
esac
"""
)
MASTER, PORTAL = "kupyterhub-master-secret", "kupyterhub-portal-session-key"
SESSIONS, CLIENT = "kupyterhub-proxy-session-key", "kupyterhub-proxy-client-secret"


@pytest.fixture
def making(bench: Bench) -> Bench:
    bench.take("secrets.sh", "client_secret.sh")
    bench.program("checkout/infra/deploy/terraform.sh", NOTE)
    bench.program("bin/gcloud", SECRETS)
    return bench


def decided(bench: Bench, **variables: Any) -> None:
    (bench.folder / "variables/system.tfvars.json").write_text(json.dumps(variables, indent=2))


def kept(bench: Bench) -> dict[str, str]:
    return {file.parent.name: file.read_text().strip() for file in Path(bench.folder).glob("secrets/*/1")}


@pytest.mark.parametrize(
    ("variables", "made"),
    [
        ({}, {MASTER}),
        ({"domain": "portal.example.com", "proxy_on": "gke"}, {MASTER}),
        ({"profiles": {"portal": {}}}, {MASTER}),
        ({"portal": {}}, {MASTER, PORTAL}),
        ({"portal": {"host": "portal.example.com"}}, {MASTER, PORTAL}),
        ({"portal": {}, "proxy_on": "cloud-run"}, {MASTER, PORTAL, SESSIONS, CLIENT}),
    ],
)
def test_each_is_made_once_where_it_is_wanted(making: Bench, variables: dict[str, Any], made: set[str]) -> None:
    decided(making, **variables)
    done = making.run("secrets.sh")
    assert done.returncode == 0, done.stderr
    first = kept(making)
    assert set(first) == made
    assert first.get(CLIENT, "what a person gave") == "what a person gave"
    keys = [secret for name, secret in first.items() if name != CLIENT]
    assert {len(key) for key in keys} == {64}
    assert len(set(keys)) == len(keys)
    assert making.run("secrets.sh").returncode == 0
    assert kept(making) == first
    said = "\n".join([done.stdout, done.stderr, *making.calls])
    assert not [secret for secret in first.values() if secret in said]


def test_where_it_is_not_known_whether_there_is_one_none_is_made(making: Bench) -> None:
    making.program("bin/gcloud", NOTE + '[ "$3" != list ]\n')
    assert making.run("secrets.sh").returncode != 0
    assert not [call for call in making.calls if " add " in call]


def test_without_the_clients_secret_cloud_run_gets_none(making: Bench) -> None:
    decided(making, proxy_on="cloud-run")
    making.program("bin/gcloud", SECRETS.replace('echo -n "what a person gave"', "exit 1"))
    done = making.run("secrets.sh")
    assert done.returncode != 0
    assert "kupyterhub deploy asks for it" in done.stderr
