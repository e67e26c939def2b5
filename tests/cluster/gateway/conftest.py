"""The proxy's objects as kustomize gives them, and an API server that knows Gateways."""

import importlib.util
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import local_system
from cluster.gateway.gateways import Object, Server, outputs
from needed import need

CHECKOUT = Path(__file__).resolve().parents[3]
GATEWAY_API = "sigs.k8s.io/gateway-api@v1.3.0"
"""A Go module that has the published CRDs; Go compares it with its checksum database."""
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMESPACE = CHECKOUT / "infra/cluster/proxy/base/namespace.yaml"
NAMESPACES = "/api/v1/namespaces"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1"


@pytest.fixture(scope="session")
def overlay() -> Any:
    """The script that writes overlays, as a module."""
    spec = importlib.util.spec_from_file_location("overlay", CHECKOUT / "infra/cluster/proxy/overlay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", params=["oidc", "iap"])
def objects(request: pytest.FixtureRequest, overlay: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """What is applied, for each way of signing in."""
    folder = tmp_path_factory.mktemp("overlay")
    for path, text in overlay.files(outputs(request.param), os.path.relpath(overlay.PROXY, folder.resolve())).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    made = subprocess.run(
        [need("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, check=True
    ).stdout
    return list(yaml.safe_load_all(made))


@pytest.fixture(scope="session")
def server(control_plane: local_system.RunningControlPlane) -> Iterator[Server]:
    """An API server to which the Gateway API's kinds were added."""
    server = Server(control_plane)
    module = json.loads(
        subprocess.run(
            [need("go"), "mod", "download", "-json", GATEWAY_API],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(CHECKOUT.anchor),
        ).stdout
    )
    crds = [
        yaml.safe_load(path.read_text())
        for path in sorted(Path(module["Dir"]).glob("config/crd/standard/*_gateway*.yaml"))
        + sorted(Path(module["Dir"]).glob("config/crd/standard/*_httproutes.yaml"))
    ]
    for crd in crds:
        server.session.post(f"{server.url}{CRDS}", json=crd).raise_for_status()
    try:
        _wait_until_served(server)
        server.session.post(
            f"{server.url}{NAMESPACES}", json=yaml.safe_load(NAMESPACE.read_text())
        ).raise_for_status()
        yield server
    finally:
        server.session.delete(f"{server.url}{NAMESPACES}/kupyterhub-proxy")
        for crd in crds:
            server.session.delete(f"{server.url}{CRDS}/{crd['metadata']['name']}").raise_for_status()
        server.session.close()


def _wait_until_served(server: Server) -> None:
    for _ in range(100):
        answer = server.session.get(f"{server.url}{GATEWAYS}")
        if answer.ok and {"Gateway", "HTTPRoute"} <= {each["kind"] for each in answer.json()["resources"]}:
            return
        time.sleep(0.1)
    raise AssertionError("the API server does not serve Gateways")
