"""Server and agent as the processes that pods start, joined, and a person who is signed in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from cluster.proxy.harness import ADA, ISSUER, NAMESPACE, Browser, System, free_port
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parents[3]
FOLDERS = ("docker/agent", "docker/proxy", "docker/tunnel", "functions", "tests")


@dataclass
class Programs:
    """What runs, and what Ada's requests carry."""

    system: System
    server: psutil.Process
    agent: psutil.Process
    name: str
    cookie: str

    @property
    def port(self) -> int:
        return self.system.port

    @property
    def headers(self) -> dict[str, str]:
        origin = self.system.origin(self.name)
        return {"Host": origin.partition("://")[2], "Origin": origin, "Cookie": self.cookie}


@contextlib.contextmanager
def process(folder: Path, module: str, *arguments: str, **environment: str) -> Iterator[psutil.Process]:
    """Run a module meanwhile; its output is a file of `folder`."""
    path = os.pathsep.join(str(ROOT / source) for source in FOLDERS)
    with (folder / f"{module}.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield psutil.Process(running.pid)
        finally:
            running.terminate()
            running.wait(20)


@contextlib.contextmanager
def running_server(folder: Path) -> Iterator[tuple[System, psutil.Process]]:
    """Run the server, and say where it is and what signs the tokens of its agents."""
    port = free_port()
    system = System(port, folder, "http", f"localhost:{port}")
    issuers = [{"issuer": ISSUER, "jwks": str(folder / "jwks.json"), "namespace": NAMESPACE}]
    (folder / "jwks.json").write_text(system.cluster.jwks())
    (folder / "issuers.json").write_text(json.dumps(issuers))
    (folder / "admins").write_text("")
    environment = {
        "KUPYTERHUB_DOMAIN": system.domain,
        "KUPYTERHUB_IDENTITY": "local",
        "KUPYTERHUB_ADMINS_FILE": str(folder / "admins"),
        "KUPYTERHUB_AGENT_ISSUERS": str(folder / "issuers.json"),
        "KUPYTERHUB_TOPIC": "projects/p/topics/agent-events",
        "KUPYTERHUB_LISTEN": f"127.0.0.1:{port}",
        "KUPYTERHUB_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
    }
    with process(folder, "kupyterhub_proxy", **environment) as serving:
        yield system, serving


@contextlib.asynccontextmanager
async def running_programs(folder: Path, backend: str) -> AsyncIterator[Programs]:
    """Run both for Ada's notebook at `backend`, which answers /api/status and / already."""
    name = base_name(ADA)
    with running_server(folder) as (system, serving):
        (folder / "jupyter-token").write_text("t")
        (folder / "token").write_text(system.token(name, "uid"))
        agent = {
            "KUPYTERHUB_PROXY": "local",
            "KUPYTERHUB_PROXY_URL": system.origin("agents"),
            "KUPYTERHUB_PROXY_SERVICE": f"127.0.0.1:{system.port}",
            "KUPYTERHUB_NAME": name,
            "KUPYTERHUB_USER": "u-ada",
            "KUPYTERHUB_EMAIL": ADA,
            "KUPYTERHUB_BACKEND": backend,
            "KUPYTERHUB_TOKEN_FILE": str(folder / "jupyter-token"),
            "KUPYTERHUB_PROXY_TOKEN_FILE": str(folder / "token"),
            "POD_UID": "uid",
        }
        agent["POD_IP"] = f"127.{os.getpid() % 200 + 50}.8.{system.port % 250 + 1}"  # its health port is the same
        with process(folder, "kupyterhub_agent", **agent) as carrying:
            cookie = await signed_in(system, ADA)
            yield Programs(system, serving, carrying, name, cookie)


async def signed_in(system: System, email: str) -> str:
    """Sign somebody in and wait for their notebook; give the Cookie header of their host."""
    browser, name = Browser(system), base_name(email)
    try:
        async with asyncio.timeout(30):
            await listening(system.port)
            await browser.sign_in(email)
            while True:
                async with browser.request("GET", name) as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.1)
        cookies = browser.session.cookie_jar.filter_cookies(system.url(name))
        return "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies.values())
    finally:
        await browser.close()


async def listening(port: int) -> None:
    """Wait until something listens there."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
