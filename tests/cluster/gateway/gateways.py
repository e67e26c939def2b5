"""An installation's values, and the API server as its administrator uses it."""

import json
from typing import Any

import requests

import local_system

IDENTITIES = {
    "oidc": {"mode": "oidc", "issuer": "https://accounts.example.org", "client_id": "a-client", "audience": None},
    "iap": {
        "mode": "iap",
        "issuer": None,
        "client_id": "a-client",
        "audience": "/projects/123/global/backendServices/456",
    },
}
Object = dict[str, Any]


def outputs(mode: str) -> dict[str, Any]:
    """What `terraform output -json` says of an installation."""
    issuer = "https://container.googleapis.com/v1/projects/p/locations/europe-west1/clusters/kupyterhub"
    values = {
        "agent_issuer": {"issuer": issuer, "jwks": f"{issuer}/jwks", "namespace": "kupyterhub"},
        "gateway": {
            "address": "kupyterhub-proxy",
            "certificate_map": "kupyterhub-map",
            "domain": "notebooks.example.org",
            "ssl_policy": "kupyterhub-tls",
        },
        "images": {"proxy": "europe-west1-docker.pkg.dev/p/kupyterhub/proxy:abc"},
        "proxy": {
            "admins": ["boss@example.org"],
            "identity": IDENTITIES[mode],
            "topic": "projects/p/topics/agent-events",
        },
    }
    return {name: {"value": value} for name, value in values.items()}


class Server:
    """The API server, as its administrator uses it."""

    def __init__(self, plane: local_system.RunningControlPlane) -> None:
        admin = plane.pki.pair("admin")
        self.url = plane.server
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cert = (str(admin.certificate), str(admin.key))
        self.session.verify = str(plane.pki.ca)

    def dry_run(self, path: str, manifest: Object) -> requests.Response:
        """Apply an object as `kubectl apply --server-side --dry-run=server --validate=strict` does."""
        return self.session.patch(
            f"{self.url}{path}",
            params={"dryRun": "All", "fieldManager": "test", "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            data=json.dumps(manifest),
        )
