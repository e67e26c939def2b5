# ruff: noqa: INP001 - a script, of no package
"""Says what scripts here ask of Terraform's outputs, which are on standard input (`terraform output -json`).

installation.py bucket              the bucket of notebooks
installation.py cluster             the cluster's name and location
installation.py iap-client          the OAuth client that Identity-Aware Proxy before the portal is to have; nothing
                                    where it has Google's own, and where there is no such portal
installation.py identity            how people sign in to our own proxy
installation.py objects ADDRESS     Kubernetes objects that name this installation's own accounts and addresses;
                                    ADDRESS is where pods reach the control plane
installation.py portal              where the portal is; nothing where there is none
installation.py proxy               which proxy, and where: hosted, gke or cloud-run
"""

import ipaddress
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

GKE = Path(__file__).resolve().parents[1] / "cluster/gke"
_OF_THE_PORTAL = {"iap-client": "iap_client", "portal": "url"}


class MissingOutput(Exception):
    """Terraform's outputs lack one; the text says which, and what to do."""


def value(outputs: Mapping[str, Any], name: str) -> Any:
    """Give an output; raises MissingOutput."""
    if name not in outputs:
        raise MissingOutput(f"Terraform's output {name} is missing; apply infra/gcp/system first")
    return outputs[name]["value"]


def proxy(outputs: Mapping[str, Any]) -> str:
    """Give the way in: `hosted`, `gke` or `cloud-run`. Outputs that are null are not among Terraform's."""
    if outputs.get("gateway", {}).get("value"):
        return "gke"
    return "cloud-run" if outputs.get("proxy", {}).get("value") else "hosted"


def portal(outputs: Mapping[str, Any], question: str) -> str:
    """Give what is asked of the portal; empty where there is none."""
    return (outputs.get("portal", {}).get("value") or {}).get(_OF_THE_PORTAL[question]) or ""


def objects(outputs: Mapping[str, Any], control_plane: str) -> str:
    """Give YAML of what infra/cluster cannot know; raises MissingOutput, or ValueError for what is no address."""
    policies = [_policy("shared-agent", CONTROL_PLANE=control_plane)]
    if proxy(outputs) == "cloud-run":
        load_balancer = value(outputs, "dns_records")["wildcard"]["data"]
        policies.append(_policy("cloud-run-agents", LOAD_BALANCER=load_balancer))
    accounts = value(outputs, "accounts")
    binding = _binding(accounts[function] for function in sorted(value(outputs, "dead_letters")))
    # What begins with JSON, kubectl takes for JSON to its end.
    return "---\n".join([*policies, f"{json.dumps(binding, indent=2)}\n"])


def _policy(name: str, **addresses: str) -> str:
    networks = {place: str(ipaddress.ip_network(address)) for place, address in addresses.items()}
    return Template((GKE / f"{name}.yaml").read_text()).substitute(networks)


def _binding(emails: Iterable[str]) -> dict[str, Any]:
    """Bind the functions' Role (infra/cluster/rbac.yaml) to their Google service accounts."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "functions", "namespace": "kupyterhub"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "kupyterhub"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": email} for email in emails],
    }


def answer(outputs: Mapping[str, Any], question: str, *arguments: str) -> str:
    """Give what the command line asks for; raises MissingOutput, or ValueError for a question that is none."""
    match question, *arguments:
        case ["bucket"]:
            return str(value(outputs, "notebooks_bucket"))
        case ["cluster"]:
            cluster = value(outputs, "cluster")
            return f"{cluster['name']} {cluster['location']}"
        case ["identity"]:
            return str(value(outputs, "proxy")["identity"]["mode"])
        case ["objects", control_plane]:
            return objects(outputs, control_plane)
        case ["portal" | "iap-client"]:
            return portal(outputs, question)
        case ["proxy"]:
            return proxy(outputs)
    raise ValueError(__doc__)


if __name__ == "__main__":
    try:
        sys.stdout.write(answer(json.load(sys.stdin), *sys.argv[1:]).rstrip() + "\n")
    except MissingOutput as error:
        sys.exit(f"installation.py: {error}")
