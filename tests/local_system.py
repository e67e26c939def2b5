"""The local system's parts for tests: a real control plane and the emulators, each in a folder of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kupyterhub_local import addresses, sockets
from kupyterhub_local.addresses import Addresses
from kupyterhub_local.components import kubernetes, machine, versions
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.control_plane.pki import Pki
from kupyterhub_local.control_plane.plane import ControlPlane
from kupyterhub_local.state import StateFolder
from kupyterhub_local.supervisor import Supervisor

Start = Callable[[Supervisor, StateFolder, Addresses], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class RunningControlPlane:
    """etcd, API server, controllers and scheduler, with infra/cluster applied."""

    state: StateFolder
    addresses: Addresses
    server: str
    supervisor: Supervisor

    @property
    def admin_kubeconfig(self) -> Path:
        return self.state.admin_kubeconfig

    @property
    def node_kubeconfig(self) -> Path:
        return self.state.node_kubeconfig

    @property
    def controller_kubeconfig(self) -> Path:
        return self.state.controller_kubeconfig

    @property
    def pki(self) -> Pki:
        return Pki(self.state.pki)


@contextmanager
def control_plane(folder: Path) -> Iterator[RunningControlPlane]:
    """Run a control plane that keeps its state in `folder`."""

    async def start(supervisor: Supervisor, state: StateFolder, held: Addresses) -> None:
        programs = await kubernetes.get(versions.read(), machine.architecture(), user_cache(), print)
        await ControlPlane(state, held, programs).start(supervisor)

    with _running(folder, start) as (supervisor, state, held):
        server = f"https://127.0.0.1:{held.ports.apiserver}"
        yield RunningControlPlane(state, held, server, supervisor)


@contextmanager
def _running(folder: Path, start: Start) -> Iterator[tuple[Supervisor, StateFolder, Addresses]]:
    state = StateFolder(folder)
    held = addresses.choose(state.addresses, user_cache() / "addresses", sockets.listeners())
    state.prepare(held.domain)
    supervisor = Supervisor(state.logs, print)
    # A loop of its own, beside those of tests, but in the main thread: processes die with the thread that starts them.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        try:
            runner.run(start(supervisor, state, held))
            yield supervisor, state, held
        finally:
            runner.run(supervisor.stop())
