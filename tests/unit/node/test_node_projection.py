"""Files of volumes."""

import base64
from typing import Any

import pytest

from kupyterhub_local.node.domain.manifests import ConfigError, Reference
from kupyterhub_local.node.domain.projection import File, TokenRequest, payload, token_requests, volume_references

POD = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"b": 'say "x"', "a": "1"}},
    "spec": {"containers": []},
}
OBJECTS = {
    Reference("secrets", "s"): {"data": {"k": base64.b64encode(b"\x00raw").decode(), "l": ""}},
    Reference("configmaps", "c"): {"data": {"text": "ü"}, "binaryData": {"raw": base64.b64encode(b"\xff").decode()}},
    Reference("secrets", "absent"): None,
}
TOKEN = TokenRequest("http://agents.localhost", 600)


def files(**volume: Any) -> dict[str, File]:
    return dict(payload({"name": "v", **volume}, POD, "127.9.0.1", OBJECTS, {TOKEN: "jwt"}))


def test_each_key_of_a_secret_is_a_file() -> None:
    assert files(secret={"secretName": "s", "defaultMode": 0o400}) == {
        "k": File(b"\x00raw", 0o400),
        "l": File(b"", 0o400),
    }


def test_items_choose_and_rename_keys() -> None:
    items = [{"key": "k", "path": "deep/name", "mode": 0o600}]
    assert files(secret={"secretName": "s", "items": items}) == {"deep/name": File(b"\x00raw", 0o600)}


def test_a_config_map_has_text_and_bytes() -> None:
    assert files(configMap={"name": "c"}) == {"text": File("ü".encode()), "raw": File(b"\xff")}


def test_a_projected_volume_joins_its_sources() -> None:
    sources = [
        {"serviceAccountToken": {"audience": TOKEN.audience, "expirationSeconds": 600, "path": "token"}},
        {"secret": {"name": "s", "items": [{"key": "k", "path": "k"}]}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    volume = {"projected": {"sources": sources, "defaultMode": 0o440}}
    assert files(**volume) == {
        "token": File(b"jwt", 0o440),
        "k": File(b"\x00raw", 0o440),
        "labels": File(b'a="1"\nb="say \\"x\\""', 0o440),
    }
    assert token_requests(volume) == {TOKEN}
    assert volume_references(volume) == {Reference("secrets", "s")}


def test_access_to_the_api_is_projected_as_a_kubelet_does_it() -> None:
    access = TokenRequest("", 3600)
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3600, "path": "token"}},
        {"configMap": {"name": "c", "items": [{"key": "text", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    volume = {"name": "v", "projected": {"sources": sources}}
    assert token_requests(volume) == {access}
    assert dict(payload(volume, POD, "127.9.0.1", OBJECTS, {access: "jwt"})) == {
        "token": File(b"jwt"),
        "ca.crt": File("ü".encode()),
        "namespace": File(b"n"),
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param({"secretName": "absent"}, "Secret 'absent' not found", id="no secret"),
        pytest.param({"secretName": "s", "items": [{"key": "x", "path": "x"}]}, "key 'x'", id="no key"),
        pytest.param({"secretName": "s", "items": [{"key": "k", "path": "../x"}]}, "out of the volume", id="escape"),
    ],
)
def test_what_cannot_be_is_named(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        files(secret=source)


def test_what_is_missing_and_optional_is_empty() -> None:
    assert files(secret={"secretName": "absent", "optional": True}) == {}
