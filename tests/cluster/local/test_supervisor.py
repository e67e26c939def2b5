"""Services as real processes: health, restarts, order and death."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kupyterhub_local import process
from kupyterhub_local.errors import NotReady
from kupyterhub_local.supervisor import Service, Supervisor


def service(name: str, tmp_path: Path, script: str, needs: tuple[str, ...] = ()) -> Service:
    """A shell script that is ready once it has written its pid to the file of its name."""
    pid_file = tmp_path / name

    async def ready() -> bool:
        return pid_file.exists()

    command = ["sh", "-c", f"echo I am up; echo $$ >> {pid_file}; {script}"]
    return Service(name, lambda: command, ready, needs=needs)


def pids(tmp_path: Path, name: str) -> list[int]:
    return [int(line) for line in (tmp_path / name).read_text().split()]


def runs(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def eventually(condition: object, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - other processes know no Event
            await asyncio.sleep(0.05)


async def test_what_dies_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    await supervisor.start(service("store", tmp_path, "exec sleep 300"))
    os.kill(pids(tmp_path, "store")[0], signal.SIGKILL)
    await eventually(lambda: len(said) == 2 and len(pids(tmp_path, "store")) == 2)
    await supervisor.stop()
    assert len(pids(tmp_path, "store")) == 2
    assert not any(map(runs, pids(tmp_path, "store")))
    assert said[0].startswith("store ended with SIGKILL")
    assert "I am up" in said[0]
    assert said[1] == "store was started again"


async def test_a_service_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, print)
    broken = Service("broken", lambda: ["sh", "-c", "echo no such option; exit 3"], _never)
    with pytest.raises(NotReady, match=r"(?s)broken ended with status 3.*no such option"):
        await supervisor.start(broken)
    await supervisor.stop()


async def _never() -> bool:
    return False


async def test_what_needs_another_is_stopped_first(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, print)
    order = tmp_path / "order"
    for name, needs in (("front", ("middle",)), ("middle", ("back",)), ("back", ())):
        script = f"trap 'echo {name} >> {order}; exit' TERM; sleep 300 & wait"
        await supervisor.start(service(name, tmp_path, script, needs))
    await supervisor.stop()
    assert order.read_text().split() == ["front", "middle", "back"]


async def test_the_log_of_the_start_before_is_kept(tmp_path: Path) -> None:
    for word in ("one", "two", "three"):
        child = await process.start("talker", ["echo", word], {}, tmp_path)
        await child.process.wait()
    assert (tmp_path / "talker.log").read_text() == "three\n"
    assert (tmp_path / "talker.log.1").read_text() == "two\n"


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib, sys\n"
        "from kupyterhub_local import process\n"
        "async def main():\n"
        "    child = await process.start('child', ['sleep', '300'], {}, pathlib.Path(sys.argv[1]))\n"
        "    print(child.process.pid, flush=True)\n"
        "    await asyncio.sleep(300)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        # As soon as the program runs, the kernel knows that it is to die with its parent.
        deadline = time.monotonic() + 10
        while b"setpriv" in Path(f"/proc/{child}/cmdline").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.01)
        parent.kill()
    while runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(child)
