"""What a container says at its end."""

from pathlib import Path
from typing import Any

import pytest

from cluster.node.kube import Kube, container_status, is_running, waits_for
from kupyterhub_local.node.logs import LogWriter
from kupyterhub_local.node.termination import message_path, termination_message

FALLBACK = {"terminationMessagePolicy": "FallbackToLogsOnError"}
READ = 64 * 1024
HERE = {"terminationMessagePath": "/said/here"}


def message(folder: Path, exit_code: int, *, log: bytes = b"", file: bytes = b"", **container: Any) -> str:
    writer = LogWriter(folder / "0.log", "stderr")
    for start in range(0, len(log), READ):
        writer.write(log[start : start + READ])
    writer.close()
    (folder / "0.message").write_bytes(file)
    return termination_message(container, exit_code, folder / "0.message", folder / "0.log")


@pytest.mark.parametrize(
    ("exit_code", "given", "said"),
    [
        pytest.param(1, {"log": b"why\n", **FALLBACK}, "why\n", id="an error's log"),
        pytest.param(1, {"log": b"why\n", **HERE, **FALLBACK}, "why\n", id="the log where the file is empty"),
        pytest.param(0, {"log": b"why\n", **FALLBACK}, "", id="not a success's log"),
        pytest.param(1, {"log": b"why\n", "terminationMessagePolicy": "File"}, "", id="only the file"),
        pytest.param(1, {"log": b"why\n", "file": b"this", **HERE, **FALLBACK}, "this", id="the file before the log"),
        pytest.param(0, {"file": b"done", **HERE}, "done", id="a success's file"),
        pytest.param(1, FALLBACK, "", id="nothing was said"),
        pytest.param(1, {"log": b"why", **FALLBACK}, "why", id="a line without its end"),
    ],
)
def test_the_file_speaks_and_the_log_where_it_may(
    tmp_path: Path, exit_code: int, given: dict[str, Any], said: str
) -> None:
    assert message(tmp_path, exit_code, **given) == said


@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param(b"x\n" * 100, "x\n" * 80, id="80 lines"),
        pytest.param(b"begin" + b"x" * 3000, "x" * 2048, id="2048 bytes"),
        pytest.param("é".encode() * 1024 + b"x", "é" * 1023 + "x", id="no half letter"),
        pytest.param(b"begin\n" + b"x" * 300_000 + b"\nlast\n", "x" * 2042 + "\nlast\n", id="a long line"),
        pytest.param(b"x" * 300_000 + b"\n" * 81, "\n" * 80, id="lines of nothing"),
        pytest.param(b"begin\n" * 100_000 + b"last\n", "begin\n" * 79 + "last\n", id="a long log"),
    ],
)
def test_of_the_log_it_is_the_last_80_lines_and_2048_bytes(tmp_path: Path, log: bytes, said: str) -> None:
    assert message(tmp_path, 1, log=log, **FALLBACK) == said


def test_of_the_file_it_is_the_last_4096_bytes(tmp_path: Path) -> None:
    assert message(tmp_path, 1, file=b"begin" + b"x" * 4096, **HERE) == "x" * 4096


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/dev/termination-log", None),
        ("/dev/deep/log", None),
        ("", None),
        ("/said/here", "/said/here"),
        ("said", "/said"),
        ("/device", "/device"),
    ],
)
def test_a_message_file_is_mounted_where_the_machines_devices_are_not(path: str, seen: str | None) -> None:
    assert message_path({"terminationMessagePath": path}) == seen


async def test_why_a_container_ended_is_still_said_after_its_restart(kube: Kube) -> None:
    await kube.run("fails", "echo starting; echo 'no module named x' >&2; sleep 0.5; exit 3", **FALLBACK)
    pod = await kube.pod_when("fails", lambda pod: container_status(pod).get("restartCount") == 1 and is_running(pod))
    end = container_status(pod)["lastState"]["terminated"]
    assert end["exitCode"] == 3
    assert sorted(end["message"].splitlines()) == ["no module named x", "starting"]


async def test_a_container_writes_its_message_into_a_file_of_each_run(kube: Kube) -> None:
    script = "cat /said/here; echo -n $(date +%s%N) > /said/here; exit 1"
    await kube.run("writes", script, **HERE, **FALLBACK)
    status = container_status(await kube.pod_when("writes", waits_for("CrashLoopBackOff")))
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["message"].isdecimal()
    assert await kube.logs("writes") == ""
