"""The pods behind a Service."""

from typing import Any

import pytest

from kupyterhub_local.node.domain.endpoints import Listen, listens, targets


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8888}]
    return {
        "metadata": {"name": "web", "namespace": "n", "uid": "s"},
        "spec": {"clusterIP": "127.97.0.2", "selector": {"app": "web"}, "ports": ports, **spec},
    }


def pod(ready: str = "True", namespace: str = "n", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "labels": {"app": "web"}, **metadata},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8000}]}]},
        "status": {"podIP": "127.98.0.10", "phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param([pod()], [("127.98.0.10", 8888)], id="ready"),
        pytest.param([pod("False")], [], id="not ready"),
        pytest.param([pod(namespace="other")], [], id="another namespace"),
        pytest.param([pod(labels={"app": "x"})], [], id="not selected"),
        pytest.param([pod(deletionTimestamp="2026-01-01T00:00:00Z")], [], id="being deleted"),
    ],
)
def test_only_selected_ready_pods_take_connections(pods: list[Any], expected: list[Any]) -> None:
    assert targets(service(), 80, pods) == expected


def test_pods_that_are_not_ready_count_where_the_service_says_so() -> None:
    assert targets(service(publishNotReadyAddresses=True), 80, [pod("False")]) == [("127.98.0.10", 8888)]


def test_a_named_target_port_is_the_pods() -> None:
    assert targets(service(ports=[{"port": 80, "targetPort": "http"}]), 80, [pod()]) == [("127.98.0.10", 8000)]
    assert targets(service(ports=[{"port": 80, "targetPort": "other"}]), 80, [pod()]) == []


def test_a_service_without_a_selector_has_no_pods() -> None:
    assert targets(service(selector=None), 80, [pod()]) == []


@pytest.mark.parametrize("address", ["None", "", "10.0.0.1", "0.0.0.0"])  # noqa: S104 - must be refused
def test_nothing_but_loopback_is_listened_on(address: str) -> None:
    assert listens([service(clusterIP=address)]) == {}
    assert list(listens([service()])) == [Listen("127.97.0.2", 80, "s")]


def test_only_tcp_is_listened_on() -> None:
    assert listens([service(ports=[{"port": 53, "protocol": "UDP"}])]) == {}
