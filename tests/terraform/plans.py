"""Plans of infra/gcp, made once by Terraform itself, with a provider that knows the published schema and no cloud."""

import asyncio
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from terraform import published
from terraform.roots import ROOTS, Plan, Root
from terraform.ways import DATA, GOOGLE, WAYS

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
    return Root.copy(ROOTS / "data", tmp_path_factory.mktemp("data") / "root", schema, GOOGLE)


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
    return Root.copy(ROOTS / "system", folder / "root", schema, GOOGLE, _STATE.format(path=state))


@pytest.fixture(scope="session")
def system_plan(system_root: Root) -> Callable[[str], Plan]:
    """Plan one of the WAYS, once in a session."""

    @cache
    def plan(way: str) -> Plan:
        return system_root.plan(**WAYS[way])

    return plan


def _edges(root: Root) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for later, earlier in re.findall(r'"([^"]+)" -> "([^"]+)"', root.run("graph")):
        found.setdefault(later, set()).add(earlier)
    return found


@pytest.fixture(scope="session")
def edges(system_root: Root) -> dict[str, set[str]]:
    """Which resources of the system each comes right after."""
    return _edges(system_root)


@pytest.fixture(scope="session")
def data_edges(data_root: Root) -> dict[str, set[str]]:
    """The same of what lasts."""
    return _edges(data_root)
