"""The node of the local system: `python -m kupyterhub_local.node`. It only wires the parts and runs them."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from .cluster import Cluster
from .domain.addresses import PodAddresses
from .events import Events
from .log_server import LogServer, server_tls
from .mirror import Mirror
from .node_object import NodeObject
from .pods import Pods
from .provisioner import Provisioner
from .sandbox import Surroundings
from .service_proxy import ServiceProxy

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
_STOP_GRACE_SECONDS = 5.0
# The folder that `kupyterhub_local` is imported from lies in the checkout: <checkout>/infra/local.
_CHECKOUT = Path(__file__).resolve().parents[4]


class Part(Protocol):
    """Something of the node that runs until it is cancelled."""

    async def run(self) -> None:
        """Do its work."""


def main() -> None:
    """Read the command line and run until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if sys.version_info < (3, 12):  # later ones by themselves do without a thread for each process
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    asyncio.run(_run(_arguments()))


async def _run(options: argparse.Namespace) -> None:
    async with Cluster(options.kubeconfig) as cluster:
        pods_mirror = Mirror(cluster, "/api/v1/pods", fieldSelector=f"spec.nodeName={options.name}")
        services = Mirror(cluster, f"/api/v1/namespaces/{options.namespace}/services")
        claims = Mirror(cluster, "/api/v1/persistentvolumeclaims")
        volumes = Mirror(cluster, "/api/v1/persistentvolumes")
        state = options.state.resolve()
        surroundings = Surroundings(
            cluster=cluster,
            pods_folder=state / "pods",
            environment=_environment(cluster.server, options.env),
            hosts=dict(options.host),
            keep=_kept_paths(),
            services=lambda: list(services),
        )
        pods = Pods(cluster, pods_mirror, surroundings, PodAddresses(options.pod_cidr), Events(cluster, options.name))
        services.listen(pods.on_service)
        parts: list[Part] = [
            pods_mirror,
            services,
            claims,
            volumes,
            ServiceProxy(services, pods_mirror),
            Provisioner(cluster, claims, volumes, state / "storage"),
            NodeObject(cluster, options.name, options.kubelet_port),
        ]
        tls = server_tls(options.tls_cert, options.tls_key, options.client_ca)
        log_server = await LogServer(pods).start(options.kubelet_port, tls)
        tasks = [asyncio.create_task(part.run()) for part in parts]
        # Services first, so that a container's /etc/hosts is complete from its start.
        await services.filled.wait()
        tasks.append(asyncio.create_task(pods.run()))
        await _until_stopped(tasks)
        await pods.stop(_STOP_GRACE_SECONDS)
        await log_server.cleanup()


async def _until_stopped(tasks: list["asyncio.Task[None]"]) -> None:
    """Wait for a signal; a part that fails ends the node, loudly."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    waiting = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        if task not in done:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    for task in done - {waiting}:
        task.result()


def _environment(server: str, given: list[tuple[str, str]]) -> dict[str, str]:
    """Return what is below every container's own variables; the API server is where the kubeconfig says."""
    url = urlsplit(server)
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    api = {"KUBERNETES_SERVICE_HOST": url.hostname or "", "KUBERNETES_SERVICE_PORT": str(url.port or 443)}
    return {
        **passed_on,
        **dict(given),
        **api,
        "KUBERNETES_SERVICE_PORT_HTTPS": api["KUBERNETES_SERVICE_PORT"],
    }


def _kept_paths() -> tuple[str, ...]:
    return tuple(sorted({str(_CHECKOUT), *(str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix))}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kupyterhub_local.node", description="A node that runs pods as processes.")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--name", required=True, help="of the Node object")
    parser.add_argument("--state", type=Path, required=True, help="folder for pods and storage")
    parser.add_argument("--pod-cidr", required=True, help="range of pod addresses in 127.0.0.0/8")
    parser.add_argument("--namespace", required=True, help="whose Services are proxied")
    parser.add_argument("--kubelet-port", type=int, required=True)
    for name in ("--tls-cert", "--tls-key", "--client-ca"):
        parser.add_argument(name, type=Path, required=True)
    for name, meaning in (
        ("--host", "name and address in /etc/hosts"),
        ("--env", "variable below a container's own"),
    ):
        parser.add_argument(name, type=_pair, action="append", default=[], metavar="NAME=VALUE", help=meaning)
    return parser.parse_args()


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


if __name__ == "__main__":
    main()
