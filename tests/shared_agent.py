"""The shared agent as its pod runs it: `python -m kupyterhub_agent` with an API token and the cluster's names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kupyterhub_local.node.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMESPACE = "kupyterhub"
SOURCES = Path(__file__).parents[1] / "docker"
_CORE = f"/api/v1/namespaces/{NAMESPACE}"
# In a mount namespace of its own: the credentials where a pod has them, and an /etc/hosts for cluster DNS.
_IN_POD = """
mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io &&
cp -r "$1" /run/secrets/kubernetes.io/serviceaccount && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"
"""


def sources() -> str:
    """PYTHONPATH of the images."""
    return os.pathsep.join(str(SOURCES / folder) for folder in ("agent", "proxy", "tunnel"))


def start(
    folder: Path, environment: Mapping[str, str], hosts: Iterable[tuple[str, str]], log: Path
) -> subprocess.Popen[bytes]:
    """Start an agent; `folder` has `token` and `ca.crt`, `hosts` are addresses and names."""
    names = folder / f"hosts-{environment['POD_UID']}"
    names.write_text("".join(f"{address} {name}\n" for address, name in (("127.0.0.1", "localhost"), *hosts)))
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--mount", *user, "sh", "-c", _IN_POD, "sh", str(folder), str(names)]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*command, sys.executable, "-m", "kupyterhub_agent"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": sources(),
                "KUPYTERHUB_AGENT": "shared",
                "KUPYTERHUB_NAMESPACE": NAMESPACE,
                **environment,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )


async def credentials(cluster: Cluster, ca: Path, folder: Path) -> None:
    """Put a token of ServiceAccount `agent` and the cluster's CA into `folder`."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "agent"}}
    await cluster.apply(f"{_CORE}/serviceaccounts/agent", account)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = await cluster.create(f"{_CORE}/serviceaccounts/agent/token", request)
    _keep(folder, answer["status"]["token"], ca)


def _keep(folder: Path, token: str, ca: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "token").write_text(token)
    (folder / "ca.crt").write_bytes(ca.read_bytes())


async def enrol(cluster: Cluster, name: str, email: str, *, port: int = 8888, idle_seconds: int = 3600) -> None:
    """Make the Service and the Secret by which the agent learns of a person."""
    await cluster.apply(f"{_CORE}/secrets/jupyterlab-{name}", _object("Secret", name, stringData={"token": "t"}))
    service = _object("Service", name, spec={"ports": [{"name": "http", "port": port}]})
    service["metadata"]["annotations"] = {
        "kupyterhub/user": f"u-{name}",
        "kupyterhub/email": email,
        "kupyterhub/idle-timeout": str(idle_seconds),
        "kupyterhub/activity": "kernels,terminals",
    }
    await cluster.apply(f"{_CORE}/services/jupyterlab-{name}", service)


async def dismiss(cluster: Cluster, name: str) -> None:
    """Take both away."""
    for plural in ("services", "secrets"):
        await cluster.delete(f"{_CORE}/{plural}/jupyterlab-{name}")


def _object(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/managed-by": "kupyterhub",
        "app.kubernetes.io/component": "jupyterlab",
        "app.kubernetes.io/instance": name,
    }
    metadata = {"name": f"jupyterlab-{name}", "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}
