"""A user's Inverting Proxy agent: it dials out to the proxy and serves one notebook."""

from typing import Any

from kupyterhub.domain.installation import Installation
from kupyterhub.domain.labels import REACHES, metadata, pod_labels, selector
from kupyterhub.domain.lifetimes import Lifetime
from kupyterhub.domain.manifests import jupyterlab
from kupyterhub.domain.manifests.agent_pod import COMPONENT, Folder, Share, of_proxy, pod
from kupyterhub.domain.manifests.pieces import service_account
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.users import UserDocument

PREFIX = "agent"
_TOKEN_FOLDER = "/var/run/kupyterhub/jupyterlab"  # noqa: S105 - a folder's name
_SHARE = Share(requests={"cpu": "10m", "memory": "64Mi"}, limits={"cpu": "500m", "memory": "256Mi"})


def account(user: UserDocument, wanted: Wanted) -> dict[str, Any]:
    """ServiceAccount `agent-<name>`: by its projected token the proxy knows whom this agent may serve."""
    return service_account(metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name))


def network_policy(user: UserDocument, wanted: Wanted) -> dict[str, Any]:
    """NetworkPolicy `agent-<name>`: of all notebooks, this agent reaches its own person's alone.

    No policy for all can say that: a selector compares a label with a word, and not with another pod's.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name),
        "spec": {
            "podSelector": {"matchLabels": selector(COMPONENT, wanted.name)},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"podSelector": {"matchLabels": selector(jupyterlab.COMPONENT, wanted.name)}}],
                    "ports": [{"protocol": "TCP", "port": jupyterlab.PORT}],
                }
            ],
        },
    }


def deployment(user: UserDocument, wanted: Wanted, lifetime: Lifetime, installation: Installation) -> dict[str, Any]:
    """Deployment `agent-<name>`; a change takes effect at once, for an agent holds nobody's work."""
    account_name, settings = f"{PREFIX}-{wanted.name}", installation.settings
    environment = {**of_proxy(installation), **_of_person(user, wanted, lifetime)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(PREFIX, COMPONENT, user, wanted.email, wanted.name),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector(COMPONENT, wanted.name)},
            "revisionHistoryLimit": 1,
            "template": {
                # By the last, infra/cluster leaves it to the policy above which notebook it reaches.
                "metadata": {"labels": {**pod_labels(COMPONENT, wanted.name), REACHES: "own"}},
                "spec": pod(account_name, settings, environment, [_jupyterlab_token(wanted)], _SHARE),
            },
        },
    }


def _jupyterlab_token(wanted: Wanted) -> Folder:
    name = f"{jupyterlab.PREFIX}-{wanted.name}"
    source = {"secret": {"secretName": name, "items": [{"key": "token", "path": "token"}]}}
    return Folder("jupyterlab-token", _TOKEN_FOLDER, source)


def _of_person(user: UserDocument, wanted: Wanted, lifetime: Lifetime) -> dict[str, str]:
    timeout = lifetime.idle_timeout
    return {
        "NAME": wanted.name,
        # Kubernetes expands $(VAR) in values; ids and e-mails may hold any character.
        "USER": user.id.replace("$", "$$"),
        "EMAIL": wanted.email.replace("$", "$$"),
        "BACKEND": f"http://{jupyterlab.PREFIX}-{wanted.name}:{jupyterlab.PORT}",
        "TOKEN_FILE": f"{_TOKEN_FOLDER}/token",
        **({} if timeout is None else {"IDLE_TIMEOUT": f"{timeout.total_seconds():.0f}"}),
        "ACTIVITY": ",".join(lifetime.activity),
    }
