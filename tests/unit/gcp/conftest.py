"""Plans of infra/gcp, made once by Terraform itself, with a provider that knows the published schema and no cloud."""

import asyncio
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from terraform import published
from terraform.roots import ROOTS, Plan, Root

PROJECT = "my-project"
OIDC = {"mode": "oidc", "issuer": "https://accounts.google.com", "client_id": "client"}
DATA = {"project_id": PROJECT, "region": "europe-west1", "firestore_location": "eur3"}
SYSTEM = {
    "project_id": PROJECT,
    "state_bucket": "my-state",
    "allowed_emails": ["*@example.com"],
    "image_tag": "0a1b2c3",
}
SELF_HOSTED = SYSTEM | {"domain": "notebooks.example.com", "identity": OIDC}
WAYS: dict[str, dict[str, Any]] = {
    "self-hosted": SELF_HOSTED,
    "autopilot": SELF_HOSTED | {"autopilot": True},
    "cloud-run": SELF_HOSTED | {"proxy_on": "cloud-run", "dns_zone": "example-com"},
    "hosted": SYSTEM | {"proxy": "hosted", "agent": "per-user"},
    "everything": SELF_HOSTED
    | {
        "alert_emails": ["admin@example.com"],
        "budget": {"amount": 500, "billing_account": "012345-6789AB-CDEF01"},
        "cluster_location": "europe-west1-b",
        "notebook_pools": {
            "default": {},
            "cheap": {"spot": True},
            "gpu": {"gpu": {"type": "nvidia-l4"}, "machine_type": "g2-standard-8"},
        },
        "profiles": {
            "default": {"idle_timeout": "1h"},
            "large": {"cpu": "2", "memory": "8Gi", "storage": {"kind": "disk", "size": "50Gi"}},
        },
    },
}
"""The ways of installing that differ in what is made."""
_GOOGLE = {
    "google_project": {"number": "123456789012"},
    "google_compute_global_address": {"address": "203.0.113.7"},
    "google_container_cluster": {
        "control_plane_endpoints_config": {"dns_endpoint_config": {"endpoint": "gke-0a1b.europe-west1.gke.goog"}}
    },
    "google_certificate_manager_dns_authorization": {
        "dns_resource_record": [{"name": "_acme.example.com.", "type": "CNAME", "data": "x.authorize.example."}]
    },
}
"""What Google answers, where a plan is to show what follows from it."""
_STATE = """
data "terraform_remote_state" "data" {{
  backend = "local"
  config  = {{ path = "{path}" }}
}}
"""


@pytest.fixture(scope="session")
def schema() -> Path:
    return asyncio.run(published.schema())


@pytest.fixture(scope="session")
def data_root(schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Root:
    return Root.copy(ROOTS / "data", tmp_path_factory.mktemp("data") / "root", schema, _GOOGLE)


@pytest.fixture(scope="session")
def data_plan(data_root: Root) -> Plan:
    return data_root.plan(**DATA)


@pytest.fixture(scope="session")
def system_root(schema: Path, data_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The system's root, beside a state of data/ that says what data/ is planned to say."""
    folder = tmp_path_factory.mktemp("system")
    (folder / "functions.zip").write_bytes(b"the functions")
    outputs = {name: {"value": value, "type": "string"} for name, value in data_plan.outputs.items()}
    state = folder / "data.tfstate"
    state.write_text(json.dumps({"version": 4, "serial": 1, "lineage": "tests", "outputs": outputs, "resources": []}))
    return Root.copy(ROOTS / "system", folder / "root", schema, _GOOGLE, _STATE.format(path=state))


@pytest.fixture(scope="session")
def system_plan(system_root: Root) -> Callable[[str], Plan]:
    """Plan one of the WAYS, once in a session."""

    @cache
    def plan(way: str) -> Plan:
        return system_root.plan(**WAYS[way])

    return plan
