"""A container's environment and command line."""

import base64
from typing import Any

import pytest

from kupyterhub_local.node.domain.environment import invocation, references
from kupyterhub_local.node.domain.manifests import ConfigError, Reference

POD: dict[str, Any] = {
    "metadata": {"name": "web-1", "namespace": "kupyterhub", "uid": "u-1", "labels": {"app": "web"}},
    "spec": {"nodeName": "local", "containers": []},
}
SECRET = Reference("secrets", "token")
FOUND = {
    SECRET: {"data": {"token": base64.b64encode(b"s3cret").decode()}},
    Reference("configmaps", "settings"): {"data": {"COLOUR": "green"}},
    Reference("secrets", "absent"): None,
}


def container(**fields: Any) -> dict[str, Any]:
    manifest = {"name": "main", "command": ["run"], **fields}
    POD["spec"]["containers"] = [manifest]
    return manifest


def environment(*entries: dict[str, Any], **fields: Any) -> dict[str, str]:
    made = invocation(container(env=list(entries), **fields), POD, "127.9.0.1", FOUND, {"PATH": "/bin", "A": "below"})
    return dict(made.environment)


def secret_key(name: str, key: str, **fields: Any) -> dict[str, Any]:
    return {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": name, "key": key, **fields}}}


def test_values_lie_above_the_nodes_and_see_the_ones_before_them() -> None:
    made = environment({"name": "A", "value": "own"}, {"name": "B", "value": "$(A) $(PATH) $(C)"}, {"name": "C"})
    assert made == {"PATH": "/bin", "A": "own", "B": "own /bin $(C)", "C": ""}


def test_arguments_see_the_whole_environment() -> None:
    manifest = container(args=["--ip=$(POD_IP)"], env=[{"name": "POD_IP", "value": "1"}])
    assert invocation(manifest, POD, "", {}, {}).argv == ("run", "--ip=1")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status.podIP", "127.9.0.1"),
        ("metadata.name", "web-1"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "web"),
        ("spec.nodeName", "local"),
        ("spec.serviceAccountName", "default"),
        ("status.hostIP", "127.0.0.1"),
    ],
)
def test_a_field_reference_gives_the_pods_field(path: str, value: str) -> None:
    assert environment({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}})["X"] == value


def test_an_unknown_field_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"status\.phase"):
        environment({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}})


def test_a_secrets_key_is_decoded() -> None:
    assert environment(secret_key("token", "token")).get("TOKEN") == "s3cret"


def test_env_from_takes_all_keys_with_the_prefix() -> None:
    made = environment(envFrom=[{"prefix": "X_", "configMapRef": {"name": "settings"}}])
    assert made["X_COLOUR"] == "green"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(secret_key("absent", "token"), "Secret 'absent' not found", id="no secret"),
        pytest.param(secret_key("token", "other"), "couldn't find key 'other' in Secret 'token'", id="no key"),
    ],
)
def test_what_is_missing_is_named(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        environment(entry)


@pytest.mark.parametrize(
    "entry", [secret_key("absent", "token", optional=True), secret_key("token", "x", optional=True)]
)
def test_what_is_missing_and_optional_is_left_out(entry: dict[str, Any]) -> None:
    assert "TOKEN" not in environment(entry)


def test_a_container_without_a_command_is_refused() -> None:
    with pytest.raises(ConfigError, match="no command"):
        invocation({"name": "main", "image": "x"}, POD, "", {}, {})


def test_references_names_every_secret_and_config_map() -> None:
    manifest = container(env=[secret_key("token", "token")], envFrom=[{"configMapRef": {"name": "settings"}}])
    assert references(manifest) == {SECRET, Reference("configmaps", "settings")}


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.memory", "1Mi", "1024"),
        ("limits.memory", "0", "1073741824"),
        ("requests.cpu", "1m", "250"),
        ("requests.cpu", "1", "1"),
        ("limits.cpu", "1", "0"),
    ],
)
def test_a_resource_is_given_in_units_of_its_divisor(resource: str, divisor: str, value: str) -> None:
    source = {"resourceFieldRef": {"resource": resource, "divisor": divisor}}
    resources = {"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}}
    assert environment({"name": "X", "valueFrom": source}, resources=resources)["X"] == value
