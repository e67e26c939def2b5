"""Containers as processes, without a cluster."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.node.kube import eventually, processes
from kupyterhub_local.node.domain.environment import Invocation
from kupyterhub_local.node.domain.mount_plan import Mount, mount_plan
from kupyterhub_local.node.host_tree import LocalHost
from kupyterhub_local.node.process import ContainerProcess, Launch, StartError

PYTHON = tuple(str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "0.log"


def launch(folder: Path, *argv: str, mounts: tuple[Mount, ...] = (), cwd: str = "/") -> Launch:
    root = folder / "root"
    root.mkdir()
    environment = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
    return Launch(Invocation(argv, environment), mount_plan(mounts, PYTHON, LocalHost()), root, cwd, "pod-1")


def said(log: Path) -> list[str]:
    return [line.split(" ", 3)[3] for line in log.read_text().splitlines()]


async def test_mounts_are_the_containers_own(tmp_path: Path, log: Path) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    mounts = (Mount(str(home), "/home/jovyan/deep"), Mount(str(scratch), "/tmp"))  # noqa: S108 - a pod's
    script = "touch /home/jovyan/deep/made /tmp/made; ls /tmp; python3 -c 'print(1 + 1)'"
    process = await ContainerProcess.start(launch(tmp_path, "sh", "-c", script, mounts=mounts), log)
    assert await process.wait() == 0
    # A checkout that lies in /tmp is seen there too.
    assert "made" in said(log)
    assert said(log)[-1] == "2"
    assert (home / "made").exists()
    assert (scratch / "made").exists()
    assert not (tmp_path.parent / "made").exists()


async def test_the_nodes_own_environment_is_not_passed_on(tmp_path: Path, log: Path) -> None:
    process = await ContainerProcess.start(launch(tmp_path, "env"), log)
    assert await process.wait() == 0
    assert [line.split("=")[0] for line in said(log)] == ["PATH"]


@pytest.mark.parametrize(
    ("script", "code"),
    [pytest.param("exit 7", 7, id="its own code"), pytest.param("kill -9 $$", 137, id="128 and the signal")],
)
async def test_a_container_ends_as_its_command_ends(tmp_path: Path, log: Path, script: str, code: int) -> None:
    process = await ContainerProcess.start(launch(tmp_path, "sh", "-c", script), log)
    assert await process.wait() == code


async def test_sigterm_reaches_the_command_and_kill_reaches_everything(tmp_path: Path, log: Path) -> None:
    script = "trap 'echo asked' TERM; setsid sleep 4713 & while :; do sleep 0.05; done"
    process = await ContainerProcess.start(launch(tmp_path, "sh", "-c", script), log)
    await asyncio.sleep(0.3)
    process.terminate()

    async def asked() -> bool:
        return said(log) == ["asked"]

    await eventually(asked, 5)
    process.kill()
    assert await process.wait() == 137
    assert processes("sleep 4713") == []


async def test_broken_pipes_end_what_writes_to_them(tmp_path: Path, log: Path) -> None:
    process = await ContainerProcess.start(launch(tmp_path, "sh", "-c", "(yes; echo $? >&2) | head -1"), log)
    assert await process.wait() == 0
    assert sorted(said(log)) == ["141", "y"]


async def test_orphans_are_reaped(tmp_path: Path, log: Path) -> None:
    script = "(sleep 0.1 &) ; sleep 0.5; ps -eo stat | grep -c ^Z"
    process = await ContainerProcess.start(launch(tmp_path, "sh", "-c", script), log)
    await process.wait()
    assert said(log) == ["0"]


async def test_why_there_is_no_container_is_said(tmp_path: Path, log: Path) -> None:
    with pytest.raises(StartError, match="cannot run 'sh' in /nowhere: No such file or directory"):
        await ContainerProcess.start(launch(tmp_path, "sh", cwd="/nowhere"), log)


async def test_a_mount_that_is_refused_is_named(tmp_path: Path, log: Path) -> None:
    mounts = (Mount(f"{tmp_path}/missing", "/home/jovyan"),)
    with pytest.raises(StartError, match=r"mount of .*/missing at .*/home/jovyan was refused"):
        await ContainerProcess.start(launch(tmp_path, "true", mounts=mounts), log)


@pytest.mark.skipif(os.getuid() != 0, reason="others than root take this path in every test")
def test_without_root_a_user_namespace_does_it() -> None:
    # The launcher as the user nobody, by the system's Python: the one of the tests may be root's alone.
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", AS_NOBODY]
    words = [*nobody, LAUNCHER.read_text(), "id -u; ls -d /nowhere-on-this-host"]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    assert done.stdout.split() == ["65534", "/nowhere-on-this-host"]


LAUNCHER = Path(__file__).parents[3] / "infra/local/kupyterhub_local/node/launch.py"
AS_NOBODY = """
import json, os, pathlib, subprocess, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    launcher = pathlib.Path(folder, "launch.py")
    launcher.write_text(sys.argv[1])
    root = pathlib.Path(folder, "root")
    root.mkdir()
    steps = [{"action": "bind", "source": "/", "target": "/", "read_only": False},
             {"action": "tmpfs", "source": "", "target": "/", "read_only": False}]
    for name in os.listdir("/"):
        path = "/" + name
        link = os.path.islink(path)
        steps.append({"action": "symlink" if link else "bind", "source": os.readlink(path) if link else path,
                      "target": path, "read_only": False})
    steps.append({"action": "bind", "source": folder, "target": "/nowhere-on-this-host", "read_only": True})
    plan = {"hostname": "h", "root": str(root), "cwd": "/", "argv": ["sh", "-c", sys.argv[2]],
            "environment": {"PATH": "/usr/bin:/bin"}, "steps": steps}
    report, end = os.pipe()
    subprocess.run([sys.executable, "-I", "-S", launcher, str(os.getpid()), str(end)], pass_fds=[end],
                   input=json.dumps(plan).encode(), check=True)
"""
