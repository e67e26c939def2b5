"""etcd and the Kubernetes control plane: official releases where these can be reached, else built with Go."""

from dataclasses import dataclass
from pathlib import Path

from kupyterhub_local.components import gobuild, release
from kupyterhub_local.components.cache import cached
from kupyterhub_local.components.versions import Versions
from kupyterhub_local.errors import Unreachable
from kupyterhub_local.progress import Say, step

PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class ControlPlanePrograms:
    """Paths of the programs."""

    etcd: Path
    apiserver: Path
    controller_manager: Path
    scheduler: Path


async def get(versions: Versions, arch: str, cache: Path, say: Say) -> ControlPlanePrograms:
    """Find the programs in `cache`, or put them there; raises ComponentError."""

    async def make_kubernetes(folder: Path) -> None:
        published = versions.kubernetes
        try:
            async with step(f"downloading Kubernetes {published.version}", say):
                await release.kubernetes(published, arch, PROGRAMS, folder)
        except Unreachable as unreachable:
            say(f"no download of Kubernetes: {unreachable}")
            async with step(f"building Kubernetes {published.version} with Go (some minutes, once)", say):
                await gobuild.kubernetes(published.version, PROGRAMS, folder, say)

    async def make_etcd(folder: Path) -> None:
        published = versions.etcd
        try:
            async with step(f"downloading etcd {published.version}", say):
                await release.etcd(published, arch, folder)
        except Unreachable as unreachable:
            say(f"no download of etcd: {unreachable}")
            async with step(f"building etcd {published.version} with Go", say):
                await gobuild.etcd(folder, say)

    etcd = await cached(cache / f"etcd-{versions.etcd.version}-{arch}", make_etcd)
    kubernetes = await cached(cache / f"kubernetes-{versions.kubernetes.version}-{arch}", make_kubernetes)
    apiserver, controller_manager, scheduler = (kubernetes / program for program in PROGRAMS)
    return ControlPlanePrograms(etcd / "etcd", apiserver, controller_manager, scheduler)
