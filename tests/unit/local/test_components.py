"""Versions, machines, and the cache that components are kept in."""

import asyncio
import re
from pathlib import Path

import pytest

from kupyterhub_local.components import gobuild, java, machine, versions
from kupyterhub_local.components.cache import cached
from kupyterhub_local.errors import UnsupportedMachine


def test_go_builds_the_versions_that_are_downloaded_elsewhere() -> None:
    known = versions.read()
    module = (gobuild.MODULE / "go.mod").read_text()
    assert f"\tk8s.io/kubernetes {known.kubernetes.version} " in module
    assert f"go.etcd.io/etcd/server/v3 {known.etcd.version} " in module
    staging = set(re.findall(r"^\t(k8s\.io/\S+) => \1 (\S+)$", module, re.MULTILINE))
    assert {version for _, version in staging} == {known.kubernetes.version.replace("v1.", "v0.")}


@pytest.mark.parametrize(("name", "go_name"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_linux_on_known_processors_is_supported(name: str, go_name: str) -> None:
    assert machine.architecture("Linux", name) == go_name


@pytest.mark.parametrize(("system", "name"), [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "riscv64")])
def test_other_machines_are_told_what_would_do(system: str, name: str) -> None:
    with pytest.raises(UnsupportedMachine, match=rf"This is {system} on {name}.*container with Linux"):
        machine.architecture(system, name)


def test_an_old_java_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.touch(mode=0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.15"\n')
    monkeypatch.setenv("PATH", str(old.parent))
    assert java.find(minimum=17) == old
    assert java.find(minimum=25) != old


async def test_two_runs_make_a_component_once(tmp_path: Path) -> None:
    made = []

    async def make(folder: Path) -> None:
        made.append(folder)
        await asyncio.sleep(0.05)
        (folder / "program").touch()

    folders = await asyncio.gather(*(cached(tmp_path / "thing-v1", make) for _ in range(2)))
    assert folders == [tmp_path / "thing-v1"] * 2
    assert len(made) == 1
    assert (tmp_path / "thing-v1" / "program").exists()


async def test_an_interrupted_making_leaves_nothing_and_is_begun_anew(tmp_path: Path) -> None:
    async def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError

    async def make(folder: Path) -> None:
        assert not (folder / "half").exists()

    with pytest.raises(RuntimeError):
        await cached(tmp_path / "thing-v1", fail)
    assert not (tmp_path / "thing-v1").exists()
    assert await cached(tmp_path / "thing-v1", make) == tmp_path / "thing-v1"


def test_a_build_says_how_far_it_is() -> None:
    compiled = gobuild.Compiled(total=2500, done=500)
    assert compiled.after(60) == "500 of 2500 packages are compiled; 4 min left, at most"
    assert gobuild.Compiled(total=9).after(0) == "0 of 9 packages are compiled; 1 min left, at most"
