"""Server and agent as the programs that a pod starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.proxy.harness import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).parents[3] / "docker"


def start(module: str, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(str(SOURCES / folder) for folder in ("agent", "proxy", "tunnel"))
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def status(url: str) -> int:
    """Give the answer's status, waiting until something listens."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own URL
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing listens at {url}")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "admins").write_text("")
    (tmp_path / "issuers.json").write_text("[]")
    return {
        "KUPYTERHUB_DOMAIN": "localhost:1",
        "KUPYTERHUB_IDENTITY": "local",
        "KUPYTERHUB_ADMINS_FILE": str(tmp_path / "admins"),
        "KUPYTERHUB_AGENT_ISSUERS": str(tmp_path / "issuers.json"),
        "KUPYTERHUB_TOPIC": "projects/p/topics/agent-events",
        "KUPYTERHUB_LISTEN": f"127.0.0.1:{free_port()}",
        "KUPYTERHUB_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
    }


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "log"
    sys.stdout.write((tmp_path / "log").read_text())


def test_the_server_is_healthy_and_ends_when_it_is_told_to(environment: dict[str, str], log: Path) -> None:
    process = start("kupyterhub_proxy", environment, log)
    try:
        for path in ("/healthz", "/readyz"):
            assert status(f"http://{environment['KUPYTERHUB_HEALTH_LISTEN']}{path}") == 200
        assert status(f"http://{environment['KUPYTERHUB_LISTEN']}/healthz") == 421
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_the_server_refuses_to_ask_the_network_who_it_is(environment: dict[str, str], log: Path) -> None:
    process = start("kupyterhub_proxy", {**environment, "KUPYTERHUB_LISTEN": "0.0.0.0:0"}, log)
    assert process.wait(20) == 1
    assert "loopback" in log.read_text()


def test_the_agent_is_alive_without_a_server_and_ends_when_it_is_told_to(tmp_path: Path, log: Path) -> None:
    (tmp_path / "token").write_text("t")
    pod_ip = f"127.{os.getpid() % 200 + 50}.7.9"
    process = start(
        "kupyterhub_agent",
        {
            "KUPYTERHUB_PROXY": "local",
            "KUPYTERHUB_PROXY_URL": "http://agents.localhost:1",
            "KUPYTERHUB_NAME": "ada-0123456789abcdef",
            "KUPYTERHUB_USER": "u-1",
            "KUPYTERHUB_EMAIL": "ada@example.org",
            "KUPYTERHUB_BACKEND": "http://127.0.0.1:1",
            "KUPYTERHUB_TOKEN_FILE": str(tmp_path / "token"),
            "KUPYTERHUB_PROXY_TOKEN_FILE": str(tmp_path / "token"),
            "POD_IP": pod_ip,
            "POD_UID": "uid",
        },
        log,
    )
    try:
        assert status(f"http://{pod_ip}:8081/healthz") == 200
        assert status(f"http://{pod_ip}:8081/readyz") == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_the_agent_says_what_its_environment_lacks(log: Path) -> None:
    process = start("kupyterhub_agent", {}, log)
    assert process.wait(20) == 1
    assert "KUPYTERHUB_PROXY is not set" in log.read_text()
