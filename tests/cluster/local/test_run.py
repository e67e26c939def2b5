"""`python -m kupyterhub_local run`, as `make run` starts it, twice: the second time finds what the first left."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dotenv import dotenv_values

EMAIL = "you@example.com"
URL = re.compile(rf"^JupyterLab of {EMAIL}: (http://you-example-com-[0-9a-f]{{16}}\.localhost:\d+/)$")
START_SECONDS = 180


@contextmanager
def running(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "kupyterhub_local", "run", "--email", EMAIL]
    environment = {**os.environ, "KUPYTERHUB_STATE": str(state)}
    output = state.with_name("output")
    with output.open("w") as file, subprocess.Popen(command, env=environment, stdout=file, stderr=file) as process:
        try:
            yield process, _url(output, process)
        finally:
            process.kill()


def _url(output: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in output.read_text().splitlines():
            if found := URL.match(line):
                return found[1]
        time.sleep(0.2)
    logs = "\n".join(f"{log}:\n{log.read_text()[-2000:]}" for log in output.with_name("state").glob("logs/*.log"))
    pytest.fail(f"no URL was printed:\n{output.read_text()}\n{logs}")


def processes_of(state: Path) -> list[str]:
    """Command lines of processes that name the state folder, as each of the system's does somewhere."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if str(state).encode() in command + environment:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def none_left(state: Path) -> bool:
    deadline = time.monotonic() + 10
    while processes_of(state) and time.monotonic() < deadline:
        time.sleep(0.1)
    return processes_of(state) == []


def test_a_run_ends_wholly_and_the_next_one_finds_what_was_there(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(state) as (process, url):
        assert len(processes_of(state)) > 10
        told = dotenv_values(state / "env")
        assert url.endswith(f"localhost:{(told['PROXY_URL'] or '').rpartition(':')[2]}/")
        assert set(told) == {
            *("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"),
            *("GOOGLE_CLOUD_PROJECT", "KUBECONFIG", "PORTAL_URL", "PROXY_URL"),
        }
        [home] = (state / "node/storage").glob("*")
        (home / "kept.txt").write_text("mine")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert none_left(state), processes_of(state)

    with running(state) as (process, url_again):
        assert url_again == url
        assert (home / "kept.txt").read_text() == "mine"
        process.kill()
        process.wait(10)
        assert none_left(state), processes_of(state)


def test_a_second_run_of_the_same_checkout_is_told_so(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    holder = (
        "import pathlib, sys, time\n"
        "from kupyterhub_local import lock\n"
        "with lock.held(pathlib.Path(sys.argv[1])):\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", holder, state / "lock"], stdout=subprocess.PIPE) as first:
        assert first.stdout
        first.stdout.readline()
        second = subprocess.run(
            [sys.executable, "-m", "kupyterhub_local", "run", "--email", EMAIL],
            env={**os.environ, "KUPYTERHUB_STATE": str(state)},
            capture_output=True,
            text=True,
            check=False,
        )
        first.kill()
    assert second.returncode == 1
    assert f"as process {first.pid}" in second.stderr
    assert "Traceback" not in second.stderr
