"""Kubernetes and etcd from official releases."""

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from kupyterhub_local.components import kubernetes, release
from kupyterhub_local.components.kubernetes import PROGRAMS
from kupyterhub_local.components.versions import Release, read
from kupyterhub_local.errors import ComponentError, CorruptDownload, Unreachable

VERSION = "v9.8.7"


def publish_kubernetes(publisher: Any) -> Release:
    for program in PROGRAMS:
        path = f"/k8s/{VERSION}/bin/linux/arm64/{program}"
        digest = publisher.publish(path, f"program {program}".encode())
        publisher.publish(f"{path}.sha256", digest.encode())
    return Release(VERSION, f"{publisher.url}/k8s")


def publish_etcd(publisher: Any) -> Release:
    content = b"program etcd"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(f"etcd-{VERSION}-linux-arm64/etcd")
        member.size, member.mode = len(content), 0o755
        tar.addfile(member, io.BytesIO(content))
    name = f"etcd-{VERSION}-linux-arm64.tar.gz"
    digest = publisher.publish(f"/etcd/{VERSION}/{name}", archive.getvalue())
    sums = f"{'0' * 64}  etcd-{VERSION}-linux-amd64.tar.gz\n{digest}  {name}\n"
    publisher.publish(f"/etcd/{VERSION}/SHA256SUMS", sums.encode())
    return Release(VERSION, f"{publisher.url}/etcd")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_releases_are_downloaded_once_and_can_be_run(publisher: Any, cache: Path) -> None:
    versions = read()
    versions = type(versions)(
        publish_kubernetes(publisher), publish_etcd(publisher), versions.firebase_tools, versions.java
    )
    said: list[str] = []
    programs = await kubernetes.get(versions, "arm64", cache, said.append)
    assert programs.apiserver.read_text() == "program kube-apiserver"
    assert programs.etcd.read_text() == "program etcd"
    paths = (programs.etcd, programs.apiserver, programs.controller_manager, programs.scheduler)
    assert all(os.access(path, os.X_OK) for path in paths)
    publisher.files.clear()
    assert await kubernetes.get(versions, "arm64", cache, said.append) == programs
    assert said == []


async def test_a_program_with_another_checksum_is_refused(publisher: Any, tmp_path: Path) -> None:
    published = publish_kubernetes(publisher)
    publisher.publish(f"/k8s/{VERSION}/bin/linux/arm64/kube-apiserver", b"something else")
    with pytest.raises(CorruptDownload, match=r"kube-apiserver has the sha256 \w+, where \w+ was announced"):
        await release.kubernetes(published, "arm64", PROGRAMS, tmp_path)
    assert names(tmp_path) == []


async def test_an_archive_with_another_checksum_is_refused(publisher: Any, tmp_path: Path) -> None:
    published = publish_etcd(publisher)
    publisher.publish(f"/etcd/{VERSION}/etcd-{VERSION}-linux-arm64.tar.gz", b"something else")
    with pytest.raises(CorruptDownload, match="sha256"):
        await release.etcd(published, "arm64", tmp_path)
    assert names(tmp_path) == []


async def test_a_publisher_that_is_not_there_is_unreachable(nobody: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        await release.kubernetes(Release(VERSION, nobody), "arm64", PROGRAMS, tmp_path)


async def test_a_version_that_was_not_published_is_unreachable(publisher: Any, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="404"):
        await release.etcd(Release(VERSION, publisher.url), "arm64", tmp_path)


async def test_without_releases_and_without_go_the_message_says_what_to_do(
    nobody: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    versions = read()
    nowhere = Release(VERSION, nobody)
    versions = type(versions)(nowhere, nowhere, versions.firebase_tools, versions.java)
    with pytest.raises(ComponentError, match="install Go"):
        await kubernetes.get(versions, "arm64", cache, lambda _: None)
    assert all(name.endswith(".lock") for name in names(cache))
