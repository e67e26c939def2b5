"""Kubeconfig files, with everything inside, so that they work wherever they are copied to on this machine."""

import base64
from pathlib import Path

import yaml

from kupyterhub_local.control_plane.pki import KeyPair
from kupyterhub_local.state import write_private

NAMESPACE = "kupyterhub"
CONTEXT = "kupyterhub-local"


def write(path: Path, server: str, ca: Path, credential: KeyPair | str) -> None:
    """Write a kubeconfig for the API server at the URL `server`; the credential is a certificate or a token."""
    if isinstance(credential, KeyPair):
        user = {
            "client-certificate-data": _embedded(credential.certificate),
            "client-key-data": _embedded(credential.key),
        }
    else:
        user = {"token": credential}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": server, "certificate-authority-data": _embedded(ca)}}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": NAMESPACE}}],
        "current-context": CONTEXT,
    }
    write_private(path, yaml.safe_dump(config, sort_keys=False))


def _embedded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
