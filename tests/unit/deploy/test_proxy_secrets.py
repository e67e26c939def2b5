"""The Secrets of the proxy on GKE, and how infra/cluster is applied with it."""

import json
from typing import Any

import pytest

from cluster.gateway.gateways import outputs
from unit.deploy.conftest import CHECKOUT, NOTE, Bench

ABSENT = NOTE + '[ "$1" != get ]\n'
TELLS = NOTE + "echo the-clients-secret\n"
CLUSTER = (
    NOTE
    + """
[[ "$*" != *endpointslices* ]] || echo 172.16.0.2
[[ "$*" != *"-f -" ]] || cat >/dev/null
"""
)
KEEPS = (
    NOTE
    + """
[ "$1" != get ] || exit 1
for argument; do case $argument in --from-file=*) cp -r "${argument#*=}" "$(dirname "$CALLS")/$4";; esac; done
"""
)


def given(mode: str) -> str:
    installation: dict[str, Any] = {
        **outputs(mode),
        "accounts": {"value": {"resync": "resync@my-project.iam.gserviceaccount.com"}},
        "cluster": {"value": {"name": "kupyterhub", "location": "europe-west1"}},
        "dead_letters": {"value": {"resync": {}}},
    }
    return json.dumps(installation)


@pytest.fixture
def deploying(bench: Bench) -> Bench:
    bench.take("proxy_secrets.sh", "client_secret.sh", "installation.py", "cluster.sh")
    (bench.checkout / "infra/cluster").symlink_to(CHECKOUT / "infra/cluster")
    bench.program("bin/gcloud", TELLS)
    return bench


def test_secrets_are_made_of_what_secret_manager_has_and_told_to_nobody(deploying: Bench) -> None:
    deploying.program("bin/kubectl", KEEPS)
    done = deploying.run("proxy_secrets.sh", said=given("oidc"))
    assert done.returncode == 0, done.stderr
    made = deploying.folder / "proxy"
    assert (made / "client-secret").read_text() == "the-clients-secret\n"
    key = (made / "session-key").read_text().strip()
    assert len(key) == 64
    said = "\n".join([done.stdout, done.stderr, *deploying.calls])
    assert key not in said
    assert "the-clients-secret" not in said


def test_identity_aware_proxy_gets_its_secret_in_one_of_its_own(deploying: Bench) -> None:
    deploying.program("bin/kubectl", KEEPS)
    done = deploying.run("proxy_secrets.sh", said=given("iap"))
    assert done.returncode == 0, done.stderr
    assert [file.name for file in (deploying.folder / "proxy").iterdir()] == ["session-key"]
    assert [file.name for file in (deploying.folder / "proxy-iap").iterdir()] == ["key"]


def test_secrets_that_are_there_stay(deploying: Bench) -> None:
    deploying.program("bin/kubectl", NOTE)
    assert deploying.run("proxy_secrets.sh", said=given("iap")).returncode == 0
    assert not [call for call in deploying.calls if "create" in call]


def test_a_clients_secret_that_is_missing_is_asked_for(deploying: Bench) -> None:
    deploying.program("bin/kubectl", ABSENT)
    deploying.program("bin/gcloud", NOTE + "exit 1\n")
    done = deploying.run("proxy_secrets.sh", said=given("oidc"))
    assert done.returncode != 0
    assert "kupyterhub deploy asks for it" in done.stderr
    assert not [call for call in deploying.calls if "create secret" in call]


def test_the_proxy_on_gke_is_applied_after_its_secrets_and_waited_for(deploying: Bench) -> None:
    deploying.program("bin/kubectl", CLUSTER)
    (deploying.folder / "outputs.json").write_text(given("oidc"))
    done = deploying.run("cluster.sh", str(deploying.folder / "outputs.json"))
    assert done.returncode == 0, done.stderr
    told = ("proxy/base/namespace.yaml", "get secret", " -k ", "rollout")
    verbs = [call for call in deploying.calls if any(word in call for word in told)]
    assert [call.split()[1] for call in verbs] == ["apply", "get", "apply", "rollout"]
    assert all("--namespace=kupyterhub-proxy" in call for call in verbs if call.split()[1] != "apply")
    assert any(call.startswith("kubectl delete") and "hosted-agents" in call for call in deploying.calls)
