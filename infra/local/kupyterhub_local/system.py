"""The whole system: which services there are, what each is told, and what waits for what."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from kupyterhub_local import emulators
from kupyterhub_local.addresses import HOST, Addresses
from kupyterhub_local.components import everything
from kupyterhub_local.components.everything import Programs
from kupyterhub_local.control_plane import pki
from kupyterhub_local.control_plane.kubeconfig import NAMESPACE
from kupyterhub_local.control_plane.plane import ControlPlane
from kupyterhub_local.emulators import answers
from kupyterhub_local.progress import Say, step
from kupyterhub_local.state import CHECKOUT, StateFolder
from kupyterhub_local.supervisor import Service, Supervisor, at_once
from kupyterhub_local.users import PROJECT

# JupyterLab's configuration as in its image, and what is needed on one machine only.
JUPYTER_CONFIG = (CHECKOUT / "infra/local/jupyter", CHECKOUT / "docker/jupyterlab")

# As in the cloud: one worker with eight threads.
WORKERS = ("--worker-class=gthread", "--workers=1", "--threads=8", "--no-control-socket")


@dataclass(frozen=True)
class LocalSystem:
    """Everything, with its state in a folder and on the addresses of a checkout; `say` tells the person at it."""

    state: StateFolder
    addresses: Addresses
    say: Say

    @property
    def environment(self) -> dict[str, str]:
        """What programs need to know to use the system: the contents of `.kupyterhub/env`."""
        ports = self.addresses.ports
        return {
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{ports.firestore}",
            "PUBSUB_EMULATOR_HOST": f"{HOST}:{ports.pubsub}",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "KUBECONFIG": str(self.state.admin_kubeconfig),
            "PROXY_URL": f"http://{HOST}:{ports.proxy}",
            "PORTAL_URL": self.addresses.portal,
        }

    async def start(self, supervisor: Supervisor) -> None:
        """Start everything and return once it works; raises LocalError."""
        programs = await self.prepare()
        async with step("starting everything", self.say):
            # At once: bridge and node wait by themselves for what they need, and meanwhile import what takes long.
            await asyncio.gather(
                self.start_control_plane(supervisor, programs),
                self.start_controller(supervisor, programs),
                supervisor.start(self._proxy()),
                supervisor.start(self.portal()),
                supervisor.start(self._node()),
            )

    async def prepare(self) -> Programs:
        """Get the programs, and write what others read; raises LocalError."""
        programs = await everything.get(self.say)
        self.state.env.write_text("".join(f"{name}={value}\n" for name, value in self.environment.items()))
        ControlPlane(self.state, self.addresses, programs.kubernetes).prepare()
        return programs

    async def start_control_plane(self, supervisor: Supervisor, programs: Programs) -> None:
        """Start a cluster that has no node yet; raises LocalError."""
        await ControlPlane(self.state, self.addresses, programs.kubernetes).start(supervisor)

    async def start_controller(self, supervisor: Supervisor, programs: Programs) -> None:
        """Start the functions, and what brings them events; raises LocalError."""
        firestore, pubsub = await asyncio.gather(
            emulators.firestore(programs.google, self.addresses, self.state.snapshots, self.say),
            emulators.pubsub(programs.google, self.addresses, self.say),
        )
        await asyncio.gather(*map(supervisor.start, (firestore, pubsub, self._functions(), self._bridge())))

    def _functions(self) -> Service:
        address = f"{HOST}:{self.addresses.ports.functions}"
        return Service(
            "functions",
            lambda: [*_module("gunicorn"), *WORKERS, f"--bind={address}", "kupyterhub_local.functions:app"],
            lambda: answers(f"http://{address}/"),
            self.environment
            | {
                "KUBECONFIG": str(self.state.controller_kubeconfig),
                "KUPYTERHUB_SETTINGS": str(self.state.settings),
                "KUPYTERHUB_MASTER_SECRET_FILE": str(self.state.master_secret),
            },
            needs=["firestore", "pubsub", "kube-apiserver"],
        )

    def portal(self) -> Service:
        """Give the portal, which people open first."""
        function = f"functions_framework:create_app('portal', '{CHECKOUT / 'functions/portal.py'}', 'http')"
        return Service(
            "portal",
            lambda: [*_module("gunicorn"), *WORKERS, f"--bind={HOST}:{self.addresses.ports.portal}", function],
            lambda: answers(self.addresses.portal),
            self.environment
            | {
                "KUPYTERHUB_SETTINGS": str(self.state.settings),
                "KUPYTERHUB_PORTAL_URL": self.addresses.portal,
                "KUPYTERHUB_SESSION_KEY_FILE": str(self.state.portal_session_key),
            },
            needs=["firestore"],
        )

    def _bridge(self) -> Service:
        ports = self.addresses.ports
        options = (
            f"--listen={HOST}:{ports.bridge}",
            f"--functions=http://{HOST}:{ports.functions}",
            f"--queue={self.state.queue}",
            f"--snapshots={self.state.snapshots}",
        )
        return Service(
            "bridge",
            lambda: [*_module("kupyterhub_local.bridge"), *options],
            lambda: answers(f"http://{HOST}:{ports.bridge}/healthz"),
            self.environment,
            needs=["firestore", "pubsub", "functions"],
        )

    def _node(self) -> Service:
        certificates = pki.Pki(self.state.pki)
        served = certificates.pair("kubelet")
        search_path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)])
        options = (
            f"--kubeconfig={self.state.node_kubeconfig}",
            "--name=local",
            f"--state={self.state.node}",
            f"--pod-cidr={self.addresses.pods}",
            f"--namespace={NAMESPACE}",
            f"--kubelet-port={self.addresses.ports.kubelet}",
            f"--tls-cert={served.certificate}",
            f"--tls-key={served.key}",
            f"--client-ca={certificates.ca}",
            f"--host=agents.localhost={HOST}",
            f"--env=PATH={search_path}",
            f"--env=JUPYTER_CONFIG_PATH={os.pathsep.join(map(str, JUPYTER_CONFIG))}",
        )
        return Service(
            "node", lambda: [*_module("kupyterhub_local.node"), *options], at_once, needs=["kube-apiserver"]
        )

    def _proxy(self) -> Service:
        ports = self.addresses.ports
        cluster = {
            "issuer": f"https://{HOST}:{ports.apiserver}",
            "jwks": str(pki.Pki(self.state.pki).jwks),
            "namespace": NAMESPACE,
        }
        self.state.agent_issuers.write_text(json.dumps([cluster], indent=2) + "\n")
        return Service(
            "proxy",
            lambda: _module("kupyterhub_proxy"),
            lambda: answers(f"http://{HOST}:{ports.proxy_health}/readyz"),
            self.environment
            | {
                "KUPYTERHUB_DOMAIN": self.addresses.domain,
                "KUPYTERHUB_IDENTITY": "local",
                "KUPYTERHUB_ADMINS_FILE": str(self.state.admins),
                "KUPYTERHUB_AGENT_ISSUERS": str(self.state.agent_issuers),
                "KUPYTERHUB_TOPIC": f"projects/{PROJECT}/topics/agent-events",
                "KUPYTERHUB_LISTEN": f"{HOST}:{ports.proxy}",
                "KUPYTERHUB_HEALTH_LISTEN": f"{HOST}:{ports.proxy_health}",
                "KUPYTERHUB_SESSION_KEY_FILE": str(self.state.session_key),
                "KUPYTERHUB_PORTAL_URL": self.addresses.portal,
            },
            needs=["pubsub"],
        )


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]
