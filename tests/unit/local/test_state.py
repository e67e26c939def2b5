"""The folder `.kupyterhub/`, its lock, and the certificates in it."""

import ipaddress
import json
import os
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from kupyterhub_local import lock
from kupyterhub_local.control_plane import kubeconfig, pki
from kupyterhub_local.errors import AlreadyRunning
from kupyterhub_local.state import StateFolder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secret_and_settings_are_made_once(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.prepare("localhost:20008")
    secret = state.master_secret.read_text()
    settings = yaml.safe_load(state.settings.read_text())
    assert settings["domain"] == "localhost:20008"
    state.settings.write_text("edited: true\n")
    state.prepare("localhost:1")
    assert state.master_secret.read_text() == secret
    assert state.settings.read_text() == "edited: true\n"
    assert mode(state.master_secret) == 0o600
    assert mode(state.root) == 0o700


def test_a_second_run_of_a_checkout_is_told_about_the_first(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with lock.held(file), pytest.raises(AlreadyRunning, match=f"as process {os.getpid()}"), lock.held(file):
        pass
    with lock.held(file):
        pass


def test_certificates_are_made_once_and_keys_are_private(tmp_path: Path) -> None:
    service_ip = ipaddress.IPv4Address("127.10.0.1")
    made = pki.ensure(tmp_path / "pki", service_ip)
    before = {path.name: path.read_bytes() for path in made.root.iterdir()}
    assert {
        path.name: path.read_bytes() for path in pki.ensure(tmp_path / "pki", service_ip).root.iterdir()
    } == before
    assert {mode(path) for path in made.root.glob("*.key")} == {0o600}
    server = x509.load_pem_x509_certificate(made.pair("apiserver").certificate.read_bytes())
    hosts = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(hosts.get_values_for_type(x509.IPAddress)) == {ipaddress.IPv4Address("127.0.0.1"), service_ip}
    node = x509.load_pem_x509_certificate(made.pair("node").certificate.read_bytes())
    assert node.subject.rfc4514_string() == "CN=system:node:local,O=system:nodes"


def test_one_key_is_published_for_service_account_tokens(tmp_path: Path) -> None:
    made = pki.ensure(tmp_path / "pki", ipaddress.IPv4Address("127.10.0.1"))
    [key] = json.loads(made.jwks.read_text())["keys"]
    assert (key["kty"], key["alg"], key["e"]) == ("RSA", "RS256", "AQAB")


def test_a_kubeconfig_is_private_and_names_the_namespace(tmp_path: Path) -> None:
    made = pki.ensure(tmp_path / "pki", ipaddress.IPv4Address("127.10.0.1"))
    file = tmp_path / "kubeconfig"
    kubeconfig.write(file, "https://127.0.0.1:1", made.ca, "a token")
    config = yaml.safe_load(file.read_text())
    assert config["contexts"][0]["context"]["namespace"] == "kupyterhub"
    assert config["users"][0]["user"] == {"token": "a token"}
    assert mode(file) == 0o600
