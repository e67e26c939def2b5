# ruff: noqa: INP001 - a script, of no package
"""Writes the kustomize overlay of one installation, from what Terraform says of it.

    terraform -chdir=infra/gcp/system output -json | python3 infra/cluster/proxy/overlay.py FOLDER
    kubectl apply -k FOLDER

Terraform's outputs that it reads: `agent_issuer`, `gateway`, `images`, `portal` and `proxy`. FOLDER holds no secrets.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROXY = Path(__file__).resolve().parent

_IDENTITIES = {
    "oidc": {"ISSUER": "issuer", "CLIENT_ID": "client_id"},
    "iap": {"AUDIENCE": "audience", "CLIENT_ID": "client_id"},
}
"""By mode: the values that base/ and the mode's component name in capitals, and where the identity has them."""

_OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{proxy}/base, values]
components: [{components}]
"""

# Names without a hash: the server reads `admins` each time, so a change ends no WebSocket. Other issuers are read at
# its next start.
_VALUES = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: kupyterhub-proxy
generatorOptions:
  disableNameSuffixHash: true
configMapGenerator:
  - name: proxy
    files: [admins, agent-issuers.json]
  - name: proxy-values
    envs: [values.env]
    options:
      annotations:
        config.kubernetes.io/local-config: "true"
"""


class OverlayError(Exception):
    """Terraform's outputs lack what the overlay needs; the text says what."""


def files(outputs: Mapping[str, Any], proxy: str) -> dict[str, str]:
    """Give the overlay's files by path, from `terraform output -json`; `proxy` is the way to this script's folder.

    Raises OverlayError.
    """
    gateway, images, server, agent_issuer = (
        _output(outputs, name) for name in ("gateway", "images", "proxy", "agent_issuer")
    )
    identity = server["identity"]
    values = {
        "ADDRESS": gateway["address"],
        "CERTIFICATE_MAP": gateway["certificate_map"],
        "DOMAIN": gateway["domain"],
        "IMAGE": images["proxy"],
        "SSL_POLICY": gateway["ssl_policy"],
        "TOPIC": server["topic"],
    }
    for value, field in _IDENTITIES[identity["mode"]].items():
        if not identity.get(field):
            raise OverlayError(f"identity mode {identity['mode']} needs identity.{field}; set it and apply Terraform")
        values[value] = identity[field]
    components = [identity["mode"], "values"]
    # What there is none of, Terraform gives as null, or not at all.
    if portal := outputs.get("portal", {}).get("value"):
        values["PORTAL_URL"] = portal["url"]
        components.insert(1, "portal")
    return {
        "kustomization.yaml": _OVERLAY.format(
            proxy=proxy, components=", ".join(f"{proxy}/{component}" for component in components)
        ),
        "values/kustomization.yaml": _VALUES,
        "values/values.env": "".join(f"{name}={value}\n" for name, value in sorted(values.items())),
        "values/admins": "".join(f"{email}\n" for email in server["admins"]),
        "values/agent-issuers.json": json.dumps([agent_issuer]) + "\n",
    }


def _output(outputs: Mapping[str, Any], name: str) -> Any:
    value = outputs.get(name, {}).get("value")
    if value is None:
        raise OverlayError(
            f"Terraform's output {name} is missing or null; the proxy is on GKE with "
            'proxy = "self-hosted" and proxy_on = "gke" in infra/gcp/system, once that is applied'
        )
    return value


def main(folder: Path) -> None:
    """Write the overlay of what is on standard input."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files(json.load(sys.stdin), os.path.relpath(PROXY, folder.resolve())).items():
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - itself and FOLDER
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except OverlayError as error:
        sys.exit(f"overlay.py: {error}")
