"""What scripts read of Terraform's outputs."""

import re
from types import ModuleType
from typing import Any

import pytest
import yaml

from terraform import scripts
from unit.deploy.conftest import CHECKOUT

OUTPUTS: dict[str, Any] = {
    "accounts": {"value": {"resync": "r@p.iam.gserviceaccount.com", "build": "b@p.iam.gserviceaccount.com"}},
    "cluster": {"value": {"name": "kupyterhub", "location": "europe-west1"}},
    "dead_letters": {"value": {"resync": {}}},
    "dns_records": {"value": {"wildcard": {"data": "203.0.113.7"}}},
    "gateway": {"value": {"address": "kupyterhub-proxy"}},
    "notebooks_bucket": {"value": "notebooks"},
    "portal": {"value": {"iap_client": "client", "url": "https://portal.example.com"}},
    "proxy": {"value": {"identity": {"mode": "oidc"}}},
}


@pytest.fixture(scope="module")
def installation() -> ModuleType:
    return scripts.load("infra/deploy/installation.py")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("bucket", "notebooks"),
        ("cluster", "kupyterhub europe-west1"),
        ("iap-client", "client"),
        ("identity", "oidc"),
        ("portal", "https://portal.example.com"),
        ("proxy", "gke"),
    ],
)
def test_it_answers(installation: ModuleType, question: str, answer: str) -> None:
    assert installation.answer(OUTPUTS, question) == answer


@pytest.mark.parametrize(
    ("left_out", "proxy"), [(("gateway",), "cloud-run"), (("gateway", "proxy"), "hosted"), ((), "gke")]
)
def test_outputs_that_are_null_say_which_proxy(
    installation: ModuleType, left_out: tuple[str, ...], proxy: str
) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name not in left_out}
    assert installation.proxy(outputs) == proxy


def test_the_functions_and_nobody_else_get_their_role(installation: ModuleType) -> None:
    policy, binding = yaml.safe_load_all(installation.objects(OUTPUTS, "172.16.0.2"))
    assert [subject["name"] for subject in binding["subjects"]] == ["r@p.iam.gserviceaccount.com"]
    roles = yaml.safe_load_all((CHECKOUT / "infra/cluster/rbac.yaml").read_text())
    assert binding["roleRef"]["name"] in {role["metadata"]["name"] for role in roles if role["kind"] == "Role"}
    assert policy["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "172.16.0.2/32"}}]


def test_agents_reach_the_load_balancer_of_a_proxy_on_cloud_run(installation: ModuleType) -> None:
    cloud_run = {name: value for name, value in OUTPUTS.items() if name != "gateway"}
    _, policy, _ = yaml.safe_load_all(installation.objects(cloud_run, "172.16.0.2"))
    assert policy["metadata"]["name"] == "cloud-run-agents"
    assert policy["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "203.0.113.7/32"}}]


@pytest.mark.parametrize("address", ["", "kubernetes", "172.16.0.2\n- {}"])
def test_what_is_no_address_gets_into_no_policy(installation: ModuleType, address: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        installation.objects(OUTPUTS, address)


def test_an_output_that_is_missing_is_named(installation: ModuleType) -> None:
    with pytest.raises(installation.MissingOutput, match="notebooks_bucket"):
        installation.answer({}, "bucket")


def test_terraform_has_the_outputs_that_are_read() -> None:
    declared = set(
        re.findall(r'^output "(\w+)"', (CHECKOUT / "infra/gcp/system/outputs.tf").read_text(), re.MULTILINE)
    )
    assert set(OUTPUTS) <= declared
