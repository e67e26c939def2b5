"""The four programs of the control plane, with the options that a cluster on loopback needs."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from kupyterhub_local.addresses import HOST, Addresses
from kupyterhub_local.components.kubernetes import ControlPlanePrograms
from kupyterhub_local.control_plane import kubeconfig, manifests, pki
from kupyterhub_local.control_plane.api import Api
from kupyterhub_local.control_plane.kubeconfig import NAMESPACE
from kupyterhub_local.state import CHECKOUT, StateFolder
from kupyterhub_local.supervisor import Service, Supervisor, at_once

CONTROLLER = "kupyterhub"
CONTROLLER_TOKEN_SECONDS = 365 * 24 * 3600
MANIFESTS = (CHECKOUT / "infra/cluster", CHECKOUT / "infra/local/cluster")

# They refuse pod addresses in 127/8; the node's Service proxy finds pods by itself.
WITHOUT_CONTROLLERS = ("endpoints-controller", "endpointslice-controller", "endpointslice-mirroring-controller")
# With the default of 20 requests a second, 200 users take a minute and a half instead of seconds.
REQUEST_RATE = ("--kube-api-qps=500", "--kube-api-burst=1000")


@dataclass(frozen=True)
class ControlPlane:
    """A control plane that keeps its state in a folder, on the addresses of a checkout."""

    state: StateFolder
    addresses: Addresses
    programs: ControlPlanePrograms

    @property
    def server(self) -> str:
        """The API server's URL, which is the issuer of ServiceAccount tokens too."""
        return f"https://{HOST}:{self.addresses.ports.apiserver}"

    def prepare(self) -> None:
        """Make certificates where there are none, and the kubeconfigs of those who have one."""
        certificates = pki.ensure(self.state.pki, next(self.addresses.services.hosts()))
        for path, name in (
            (self.state.admin_kubeconfig, "admin"),
            (self.state.node_kubeconfig, "node"),
            (self._kubeconfig("controller-manager"), "controller-manager"),
            (self._kubeconfig("scheduler"), "scheduler"),
        ):
            kubeconfig.write(path, self.server, certificates.ca, certificates.pair(name))
        # The functions read theirs once, maybe before this run writes it: they would keep one of other addresses.
        theirs = self.state.controller_kubeconfig
        if theirs.exists() and self.server not in theirs.read_text():
            theirs.unlink()

    async def start(self, supervisor: Supervisor) -> None:
        """Start it, apply what the namespace needs, and let the functions in; raises NotReady, ApiError."""
        certificates = pki.Pki(self.state.pki)
        async with Api(self.server, certificates) as api:
            await asyncio.gather(
                supervisor.start(Service("etcd", self._etcd, at_once)),
                supervisor.start(Service("kube-apiserver", self._apiserver, self._ready, needs=["etcd"])),
            )
            await asyncio.gather(
                supervisor.start(
                    Service("kube-controller-manager", self._controller_manager, at_once, needs=["kube-apiserver"])
                ),
                supervisor.start(Service("kube-scheduler", self._scheduler, at_once, needs=["kube-apiserver"])),
                manifests.apply(api, manifests.read(MANIFESTS)),
            )
            token = await _token(api)
        kubeconfig.write(self.state.controller_kubeconfig, self.server, certificates.ca, token)

    async def _ready(self) -> bool:
        # The supervisor asks again after each restart: a connection of the start would be closed by then.
        async with Api(self.server, pki.Pki(self.state.pki)) as api:
            return await api.ready()

    def _kubeconfig(self, name: str) -> Path:
        return self.state.pki / f"{name}.kubeconfig"

    def _etcd(self) -> list[str]:
        ports, pair, ca = self.addresses.ports, pki.Pki(self.state.pki).pair("etcd"), pki.Pki(self.state.pki).ca
        clients, peers = f"https://{HOST}:{ports.etcd}", f"https://{HOST}:{ports.etcd_peer}"
        # Writes are synced, though a killed process loses nothing without: the volumes that people's notebooks lie
        # in are written down here, and a power cut must not lose them.
        return [
            str(self.programs.etcd),
            "--name=local",
            f"--data-dir={self.state.etcd}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=local={peers}",
            *(f"--{side}cert-file={pair.certificate}" for side in ("", "peer-")),
            *(f"--{side}key-file={pair.key}" for side in ("", "peer-")),
            *(f"--{side}trusted-ca-file={ca}" for side in ("", "peer-")),
            *(f"--{side}client-cert-auth" for side in ("", "peer-")),
            "--log-level=warn",
        ]

    def _apiserver(self) -> list[str]:
        certificates = pki.Pki(self.state.pki)
        pair, ca = certificates.pair("apiserver"), certificates.ca
        return [
            str(self.programs.apiserver),
            f"--bind-address={HOST}",
            f"--secure-port={self.addresses.ports.apiserver}",
            f"--tls-cert-file={pair.certificate}",
            f"--tls-private-key-file={pair.key}",
            f"--client-ca-file={ca}",
            "--anonymous-auth=false",
            "--authorization-mode=RBAC",
            f"--etcd-servers=https://{HOST}:{self.addresses.ports.etcd}",
            f"--etcd-cafile={ca}",
            f"--etcd-certfile={pair.certificate}",
            f"--etcd-keyfile={pair.key}",
            f"--kubelet-certificate-authority={ca}",
            f"--kubelet-client-certificate={pair.certificate}",
            f"--kubelet-client-key={pair.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer={self.server}",
            f"--service-account-key-file={certificates.service_account_key}",
            f"--service-account-signing-key-file={certificates.service_account_key}",
            f"--service-cluster-ip-range={self.addresses.services}",
            "--endpoint-reconciler-type=none",  # it would publish the server's address, and refuses loopback
            "--profiling=false",
        ]

    def _controller_manager(self) -> list[str]:
        certificates = pki.Pki(self.state.pki)
        return [
            str(self.programs.controller_manager),
            f"--kubeconfig={self._kubeconfig('controller-manager')}",
            f"--controllers=*,{','.join(f'-{name}' for name in WITHOUT_CONTROLLERS)}",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={certificates.service_account_key}",
            f"--root-ca-file={certificates.ca}",
            "--leader-elect=false",
            "--secure-port=0",
            *REQUEST_RATE,
        ]

    def _scheduler(self) -> list[str]:
        return [
            str(self.programs.scheduler),
            f"--kubeconfig={self._kubeconfig('scheduler')}",
            "--leader-elect=false",
            "--secure-port=0",
            *REQUEST_RATE,
        ]


async def _token(api: Api) -> str:
    """Get a token of the ServiceAccount that the functions act as."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": CONTROLLER_TOKEN_SECONDS},
    }
    answer = await api.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{CONTROLLER}/token", request)
    return str(answer["status"]["token"])
