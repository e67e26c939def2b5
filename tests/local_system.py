"""The local system's parts for tests: a real control plane and the emulators, each in a folder of its own."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kupyterhub_local import addresses, sockets
from kupyterhub_local import emulators as local_emulators
from kupyterhub_local.addresses import Addresses
from kupyterhub_local.components import cloud_sdk, kubernetes, machine, versions
from kupyterhub_local.components import emulators as emulator_programs
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.control_plane.pki import Pki
from kupyterhub_local.control_plane.plane import ControlPlane
from kupyterhub_local.process import Child
from kupyterhub_local.state import StateFolder
from kupyterhub_local.supervisor import READY_POLL_SECONDS, READY_SECONDS, Supervisor
from kupyterhub_local.system import LocalSystem

Run = Callable[[Coroutine[Any, Any, None]], None]
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
        control_plane = ControlPlane(state, held, programs)
        control_plane.prepare()
        await control_plane.start(supervisor)

    with _running(folder, start) as (supervisor, state, held, _):
        server = f"https://127.0.0.1:{held.ports.apiserver}"
        yield RunningControlPlane(state, held, server, supervisor)


@dataclass(frozen=True)
class RunningEmulators:
    """Firestore and Pub/Sub; nobody takes Firestore's events in yet."""

    state: StateFolder
    addresses: Addresses

    @property
    def firestore_host(self) -> str:
        return f"127.0.0.1:{self.addresses.ports.firestore}"

    @property
    def pubsub_host(self) -> str:
        return f"127.0.0.1:{self.addresses.ports.pubsub}"

    @property
    def bridge_host(self) -> str:
        """Where Firestore sends its events: free for a bridge to listen on."""
        return f"127.0.0.1:{self.addresses.ports.bridge}"


@contextmanager
def emulators(folder: Path) -> Iterator[RunningEmulators]:
    """Run both emulators with `folder` for their state."""

    async def start(supervisor: Supervisor, state: StateFolder, held: Addresses) -> None:
        programs = await emulator_programs.get(versions.read(), cloud_sdk.root(), user_cache(), print)
        firestore = await local_emulators.firestore(programs, held, state.snapshots, print)
        pubsub = await local_emulators.pubsub(programs, held, print)
        await asyncio.gather(supervisor.start(firestore), supervisor.start(pubsub))

    with _running(folder, start) as (_, state, held, _):
        yield RunningEmulators(state, held)


@dataclass(frozen=True)
class RunningController:
    """Emulators, bridge, functions and control plane: all of the system but node and proxy."""

    system: LocalSystem
    supervisor: Supervisor
    run: Run
    """Runs a coroutine in the supervisor's loop, which stands still otherwise: what ended is started again then."""

    @property
    def state(self) -> StateFolder:
        return self.system.state

    def pid(self, service: str) -> int:
        """The process of a service, which leads a process group of its own."""
        return self.supervisor._children[service].process.pid

    @contextmanager
    def killed(self, service: str) -> Iterator[None]:
        """Let a service be away, as after a crash; at the end the supervisor starts it again, which takes seconds."""
        before = self.supervisor._children[service]
        os.kill(before.process.pid, signal.SIGKILL)
        try:
            yield
        finally:
            self.run(self._another(before))

    async def _another(self, before: Child) -> None:
        async with asyncio.timeout(READY_SECONDS):
            while self.supervisor._children[before.name] is before:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(READY_POLL_SECONDS)


@contextmanager
def controller(folder: Path, settings: str) -> Iterator[RunningController]:
    """Run the controller with `settings`, in which $DOMAIN stands for its domain."""

    async def start(supervisor: Supervisor, state: StateFolder, held: Addresses) -> None:
        state.settings.write_text(settings.replace("$DOMAIN", held.domain))
        system = LocalSystem(state, held, print)
        programs = await system.prepare()
        await asyncio.gather(
            system.start_control_plane(supervisor, programs), system.start_controller(supervisor, programs)
        )

    with _running(folder, start) as (supervisor, state, held, run):
        yield RunningController(LocalSystem(state, held, print), supervisor, run)


@contextmanager
def _running(folder: Path, start: Start) -> Iterator[tuple[Supervisor, StateFolder, Addresses, Run]]:
    state = StateFolder(folder)
    held = addresses.choose(state.addresses, user_cache() / "addresses", sockets.listeners())
    state.prepare(held.domain)
    supervisor = Supervisor(state.logs, print)
    # A loop of its own, beside those of tests, but in the main thread: processes die with the thread that made them.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        try:
            runner.run(start(supervisor, state, held))
            yield supervisor, state, held, runner.run
        finally:
            runner.run(supervisor.stop())
