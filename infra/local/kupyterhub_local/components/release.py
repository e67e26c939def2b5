"""Official release binaries, in the layout of dl.k8s.io and of etcd's GitHub releases, checksums verified."""

import tarfile
from collections.abc import Sequence
from pathlib import Path

from kupyterhub_local.components import download
from kupyterhub_local.components.download import Expected
from kupyterhub_local.components.versions import Release
from kupyterhub_local.errors import CorruptDownload


async def kubernetes(published: Release, arch: str, programs: Sequence[str], folder: Path) -> None:
    """Download `programs` into `folder`; raises Unreachable, CorruptDownload."""
    for program in programs:
        url = f"{published.releases}/{published.version}/bin/linux/{arch}/{program}"
        digest = (await download.text(f"{url}.sha256")).strip()
        await download.file(url, folder / program, Expected("sha256", digest))
        (folder / program).chmod(0o755)


async def etcd(published: Release, arch: str, folder: Path) -> None:
    """Download etcd's archive and unpack `etcd` into `folder`; raises Unreachable, CorruptDownload."""
    archive = f"etcd-{published.version}-linux-{arch}.tar.gz"
    base = f"{published.releases}/{published.version}"
    lines = (await download.text(f"{base}/SHA256SUMS")).splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines if line)}
    if archive not in sums:
        raise CorruptDownload(f"{base}/SHA256SUMS does not name {archive}.")
    await download.file(f"{base}/{archive}", folder / archive, Expected("sha256", sums[archive]))
    with tarfile.open(folder / archive) as tar:
        member = tar.getmember(archive.removesuffix(".tar.gz") + "/etcd")
        member.name = "etcd"
        tar.extract(member, folder, filter="data")
    (folder / archive).unlink()
