"""The three images, built, started as pods start them, and used by a person."""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cluster.proxy.harness import ADA, HTML, ISSUER, NAMESPACE, Browser, System, free_port
from cluster.proxy.kernels import execute_request
from images.builder import Builder
from images.pod import Container, container
from kupyterhub.domain.manifests import jupyterlab as manifest
from kupyterhub_rules.names import base_name

NAME = base_name(ADA)


class Running(NamedTuple):
    """A container, what runs in it, and the environment that its pod gave it."""

    container: Container
    process: subprocess.Popen[bytes]
    environment: dict[str, str]


class Pods(NamedTuple):
    """One of each."""

    proxy: Running
    agent: Running
    jupyterlab: Running
    browser: Browser


@pytest.fixture(scope="module", params=["own", "another"])
def jupyterlab_image(request: pytest.FixtureRequest, builder: Builder) -> str:
    """Our own, and one on a base that somebody else made."""
    if request.param == "own":
        return builder.image("jupyterlab")
    return builder.image("jupyterlab", BASE=builder.other(Path(__file__).with_name("other-base")))


@pytest.fixture
async def pods(builder: Builder, jupyterlab_image: str, tmp_path: Path) -> AsyncIterator[Pods]:
    port = free_port()
    system = System(port, tmp_path, "http", f"localhost:{port}")
    addresses = [f"127.{os.getpid() % 200 + 50}.9.{number}" for number in (1, 2)]
    files = _files(tmp_path, system)
    server = {
        "KUPYTERHUB_DOMAIN": system.domain,
        "KUPYTERHUB_IDENTITY": "local",
        "KUPYTERHUB_ADMINS_FILE": "/etc/kupyterhub/admins",
        "KUPYTERHUB_AGENT_ISSUERS": "/etc/kupyterhub/issuers.json",
        "KUPYTERHUB_TOPIC": "projects/p/topics/agent-events",
        "KUPYTERHUB_LISTEN": f"127.0.0.1:{port}",
        "KUPYTERHUB_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
    }
    agent = {
        "KUPYTERHUB_PROXY": "local",
        "KUPYTERHUB_PROXY_URL": system.origin("agents"),
        "KUPYTERHUB_PROXY_SERVICE": f"127.0.0.1:{port}",
        "KUPYTERHUB_NAME": NAME,
        "KUPYTERHUB_USER": "u-ada",
        "KUPYTERHUB_EMAIL": ADA,
        "KUPYTERHUB_BACKEND": f"http://{addresses[1]}:8888",
        "KUPYTERHUB_TOKEN_FILE": "/etc/kupyterhub/jupyter-token",
        "KUPYTERHUB_PROXY_TOKEN_FILE": "/etc/kupyterhub/token",
        "POD_IP": addresses[0],
        "POD_UID": "uid",
    }
    lab = {"POD_IP": addresses[1], "HOME": manifest.HOME, "JUPYTER_TOKEN": "t"}
    arguments = [argument.replace("$(POD_IP)", addresses[1]) for argument in manifest._ARGS]
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1000, 1000)
    browser = Browser(system)
    mounts = {"/etc/kupyterhub": files}
    with contextlib.ExitStack() as stack:
        running = []
        for image, command, environment, folders in (
            (builder.image("proxy"), ["python3", "-m", "kupyterhub_proxy"], server, mounts),
            (builder.image("agent"), ["python3", "-m", "kupyterhub_agent"], agent, mounts),
            (jupyterlab_image, ["jupyter", "lab", *arguments], lab, {manifest.HOME: home}),
        ):
            each = stack.enter_context(container(builder, image, folders))
            log = tmp_path / f"{command[-1] if len(running) < 2 else 'jupyterlab'}.log"
            stack.callback(lambda log=log: print(log.read_text()[-3000:]))  # noqa: T201 - pytest shows it
            process = stack.enter_context(each.running(command, environment, log))
            running.append(Running(each, process, environment))
        try:
            yield Pods(*running, browser)
        finally:
            await browser.close()


def _files(folder: Path, system: System) -> Path:
    files = folder / "files"
    files.mkdir()
    (files / "jwks.json").write_text(system.cluster.jwks())
    issuers = [{"issuer": ISSUER, "jwks": "/etc/kupyterhub/jwks.json", "namespace": NAMESPACE}]
    (files / "issuers.json").write_text(json.dumps(issuers))
    (files / "admins").write_text("")
    (files / "jupyter-token").write_text("t")
    (files / "token").write_text(system.token(NAME, "uid"))
    for path in (files, *files.iterdir()):
        path.chmod(0o755)
    return files


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.2)


async def test_a_person_runs_a_cell_in_pods_of_the_images(pods: Pods) -> None:
    browser = pods.browser

    async def signed_in() -> bool:
        with contextlib.suppress(OSError):
            await browser.sign_in(ADA)
            return True
        return False

    async def is_open() -> bool:
        async with browser.request("GET", NAME, "/lab", headers=HTML) as answer:
            return answer.status == 200 and "jupyter-config-data" in await answer.text()

    await until(signed_in)
    await until(is_open)
    async with browser.request("POST", NAME, "/api/kernels", json={"name": "python3"}) as answer:
        assert answer.status == 201, await answer.text()
        kernel = (await answer.json())["id"]
    async with browser.websocket(NAME, f"/api/kernels/{kernel}/channels") as socket:
        await socket.send_str(json.dumps(execute_request("import os; (os.getuid(), os.getcwd())")))
        while (message := json.loads(await socket.receive_str(timeout=60)))["msg_type"] != "execute_result":
            pass
    assert message["content"]["data"]["text/plain"] == f"(1000, '{manifest.HOME}')"

    for running in (pods.proxy, pods.agent, pods.jupyterlab):
        assert await asyncio.to_thread(running.container.healthy, running.environment)
        assert await asyncio.to_thread(running.container.is_confined, running.process)


@pytest.mark.parametrize("image", ["agent", "proxy", "jupyterlab"])
def test_a_program_that_does_not_serve_is_not_healthy(builder: Builder, image: str) -> None:
    nobody = {"POD_IP": "127.0.0.1", "KUPYTERHUB_HEALTH_LISTEN": "127.0.0.1:1"}
    with container(builder, builder.image(image)) as each:
        assert not each.healthy({**nobody, "POD_IP": f"127.{os.getpid() % 200 + 50}.9.3"})
