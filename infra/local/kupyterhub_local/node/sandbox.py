"""What the containers of one pod share here: address, host name, /etc/hosts, volumes and folder."""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .cluster import Cluster
from .domain.environment import invocation, references
from .domain.hosts import hosts_file
from .domain.manifests import Manifest
from .domain.mount_plan import Mount, mount_plan
from .host_tree import LocalHost
from .process import Launch
from .termination import message_path, termination_message
from .volumes import Volumes, fetch

_LONGEST_HOSTNAME = 63


@dataclass(frozen=True)
class Surroundings:
    """What is the same for every pod of this node."""

    cluster: Cluster
    pods_folder: Path
    environment: Mapping[str, str]
    """Below each container's own variables."""
    hosts: Mapping[str, str]
    """Names that every container knows, with their addresses."""
    keep: tuple[str, ...]
    """Paths of the host that no volume may hide."""
    services: Callable[[], list[Manifest]]


class Sandbox:
    """One pod's place on this machine. A container's folder has its name; others start with a dot."""

    def __init__(self, surroundings: Surroundings, pod: Manifest, address: str) -> None:
        self.address = address
        self.folder = surroundings.pods_folder / pod["metadata"]["uid"]
        self.volumes = Volumes(surroundings.cluster, self.folder / ".volumes")
        self._surroundings = surroundings
        self._pod = pod
        self._hosts = self.folder / ".hosts"
        self._root = self.folder / ".root"
        self._hostname = pod["spec"].get("hostname") or pod["metadata"]["name"][:_LONGEST_HOSTNAME].rstrip("-.")

    async def prepare(self) -> None:
        """Make folder, volumes and /etc/hosts, or bring them up to date. Raises like `Volumes.prepare`."""
        self._root.mkdir(parents=True, exist_ok=True)
        self.write_hosts()
        await self.volumes.prepare(self._pod, self.address)

    def write_hosts(self) -> None:
        """Write /etc/hosts in place: running containers have this very file bound."""
        if not self.folder.exists():
            return
        own = {self._hostname: self.address}
        namespace = self._pod["metadata"]["namespace"]
        text = hosts_file(self._surroundings.services(), namespace, self._surroundings.hosts, own).encode()
        descriptor = os.open(self._hosts, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            os.pwrite(descriptor, text, 0)
            os.ftruncate(descriptor, len(text))
        finally:
            os.close(descriptor)

    async def launch(self, container: Manifest, run: int) -> Launch:
        """Return what the run with this number is started from. Raises ConfigError, ApiError and OSError."""
        namespace = self._pod["metadata"]["namespace"]
        objects = await fetch(self._surroundings.cluster, namespace, references(container))
        base = {**self._surroundings.environment, "HOSTNAME": self._hostname}
        started = invocation(container, self._pod, self.address, objects, base)
        mounts = self.volumes.mounts(container, dict(started.environment))
        mounts.append(Mount(str(self._hosts), "/etc/hosts"))
        if path := message_path(container):
            mounts.append(Mount(str(self._new_message_file(container["name"], run)), path))
        steps = mount_plan(mounts, self._surroundings.keep, LocalHost())
        return Launch(started, steps, self._root, container.get("workingDir") or "/", self._hostname)

    def log(self, container_name: str, run: int) -> Path:
        """Return the log of the run with this number; only the last two are kept."""
        folder = Path(self.folder, container_name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{run - 2}.log").unlink(missing_ok=True)
        return folder / f"{run}.log"

    def message(self, container: Manifest, run: int, exit_code: int) -> str:
        """Return what the run with this number, which ended so, said about its end."""
        name = container["name"]
        return termination_message(container, exit_code, self._message_file(name, run), self.log(name, run))

    def _new_message_file(self, container_name: str, run: int) -> Path:
        self._message_file(container_name, run - 1).unlink(missing_ok=True)
        new = self._message_file(container_name, run)
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(b"")
        return new

    def _message_file(self, container_name: str, run: int) -> Path:
        return Path(self.folder, container_name, f"{run}.message")

    async def remove(self) -> None:
        """Remove all of the pod's own files. A PVC's are elsewhere."""
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
