"""Fixtures: a proxy server, a notebook's stand-in, a real JupyterLab, browsers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import TestServer

from cluster.proxy.backend import backend_app
from cluster.proxy.harness import ADA, Browser, JupyterLab, System, free_port, running_agent, running_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CONFIG = Path(__file__).parents[3] / "docker/jupyterlab/jupyter_server_config.py"
JUPYTER_TOKEN = "0123456789abcdef"  # noqa: S105 - it opens this test's server


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with running_proxy(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(system: System) -> AsyncIterator[Browser]:
    running = Browser(system)
    yield running
    await running.close()


@pytest.fixture
async def backend() -> AsyncIterator[TestServer]:
    """A stand-in that shows what arrives; answers /api as JupyterLab does."""
    server = TestServer(backend_app(), host="127.0.0.1")
    await server.start_server(access_log=None)
    yield server
    await server.close()


@pytest.fixture
async def ada(system: System, backend: TestServer, browser: Browser) -> AsyncIterator[str]:
    """Ada's name: her agent serves the stand-in, and she is signed in."""
    settings = system.agent_settings(ADA, str(backend.make_url("/")))
    async with running_agent(settings, system):
        await system.publisher.until("registered", settings.serves.name)
        await browser.sign_in(ADA)
        yield settings.serves.name


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A real JupyterLab with the image's configuration."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    url = f"http://127.0.0.1:{port}"
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--allow-root",  # tests run as whoever runs them
                f"--config={CONFIG}",
                "--ServerApp.ip=127.0.0.1",
                f"--ServerApp.port={port}",
                f"--ServerApp.root_dir={home}",
            ],
            env={**os.environ, "JUPYTER_TOKEN": JUPYTER_TOKEN, "HOME": str(home)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(f"{url}/api", process, home / "log")
            yield JupyterLab(url, JUPYTER_TOKEN)
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own URL
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not answer:\n{log.read_text()}")
