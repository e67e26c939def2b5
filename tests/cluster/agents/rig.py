"""Two replicas of the server and two of the shared agent, as processes, on a real API server and real Pub/Sub."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1

import shared_agent
from cluster.proxy.backend import backend_app
from cluster.proxy.harness import ISSUER, NAMESPACE, Browser, System
from kupyterhub_local.node.cluster import Cluster
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

SERVERS = ("127.0.0.2", "127.0.0.3")
NOTEBOOKS = "127.0.0.4"
AGENTS = ("127.0.0.5", "127.0.0.6")
PROJECT = "shared-agent"


class At(AbstractResolver):
    """Finds every name at one address."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily | int = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=self._address, port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@dataclass
class Replica(System):
    """One of the servers, seen by its address."""

    address: str = ""

    def connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(resolver=At(self.address))


@dataclass
class Rig:
    """All of it. Processes are by their addresses."""

    folder: Path
    port: int
    pubsub: str
    topic: str
    cluster: Cluster
    ca: Path
    api: str
    browsers: dict[str, Browser] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: Counter[str] = field(default_factory=Counter)
    enrolled: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        """Write what the processes read."""
        self.signer = System(self.port, self.folder, "http", f"localhost:{self.port}")
        (self.folder / "jwks.json").write_text(self.signer.cluster.jwks())
        issuers = [{"issuer": ISSUER, "jwks": str(self.folder / "jwks.json"), "namespace": NAMESPACE}]
        (self.folder / "issuers.json").write_text(json.dumps(issuers))
        (self.folder / "admins").write_text("")
        (self.folder / "session-key").write_bytes(secrets.token_hex(32).encode())
        await shared_agent.credentials(self.cluster, self.ca, self.folder / "api")

    def start_server(self, address: str) -> None:
        environment = {
            "KUPYTERHUB_DOMAIN": self.signer.domain,
            "KUPYTERHUB_IDENTITY": "local",
            "KUPYTERHUB_ADMINS_FILE": str(self.folder / "admins"),
            "KUPYTERHUB_AGENT_ISSUERS": str(self.folder / "issuers.json"),
            "KUPYTERHUB_SESSION_KEY_FILE": str(self.folder / "session-key"),
            "KUPYTERHUB_TOPIC": self.topic,
            "KUPYTERHUB_LISTEN": f"{address}:{self.port}",
            "KUPYTERHUB_HEALTH_LISTEN": f"{address}:8081",
            "KUPYTERHUB_REPLICAS": str(len(SERVERS)),
            "PUBSUB_EMULATOR_HOST": self.pubsub,
        }
        with (self.folder / f"server-{address}.log").open("ab") as log:
            self.processes[address] = subprocess.Popen(
                [sys.executable, "-m", "kupyterhub_proxy"],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": shared_agent.sources(), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start_agent(self, address: str) -> str:
        """Start an agent and give its pod's uid: each start is another pod."""
        self.started[address] += 1
        uid = f"agent-{address}-{self.started[address]}"
        token = self.folder / f"proxy-token-{uid}"
        token.write_text(
            self.signer.cluster.token("", uid, sub=f"system:serviceaccount:{NAMESPACE}:agent"),
        )
        host, port = self.api.removeprefix("https://").split(":")
        self.processes[address] = shared_agent.start(
            self.folder / "api",
            {
                "KUPYTERHUB_PROXY": "local",
                "KUPYTERHUB_PROXY_URL": self.signer.origin("agents"),
                "KUPYTERHUB_PROXY_SERVICE": f"proxy-agents:{self.port}",
                "KUPYTERHUB_PROXY_TOKEN_FILE": str(token),
                "KUBERNETES_SERVICE_HOST": host,
                "KUBERNETES_SERVICE_PORT": port,
                "POD_IP": address,
                "POD_UID": uid,
            },
            [*((server, "proxy-agents") for server in SERVERS), (NOTEBOOKS, " ".join(self.names()))],
            self.folder / f"agent-{address}.log",
        )
        return uid

    def names(self) -> Iterator[str]:
        for number in range(20):
            yield f"jupyterlab-{base_name(self.email(number))}"

    @staticmethod
    def email(number: int) -> str:
        return f"person-{number}@example.org"

    async def is_ready(self, *addresses: str, seconds: float = 20) -> None:
        """Wait until these processes say that they are."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(seconds):
            for address in addresses:
                while await _status(session, f"http://{address}:8081/readyz") != 200:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)

    async def enrol(self, number: int) -> str:
        """Make a person known, and sign them in at both servers."""
        email = self.email(number)
        name = base_name(email)
        await shared_agent.enrol(self.cluster, name, email)
        self.enrolled.append(name)
        first = self.browsers[SERVERS[0]]
        first.session.cookie_jar.clear_domain("login.localhost")  # else they would be the one before
        await first.sign_in(email)
        return name

    async def served(self, name: str) -> None:
        """Wait until both servers serve a person."""
        for browser in self.browsers.values():
            async with asyncio.timeout(20):
                while await self.status(browser, name) != 200:  # noqa: ASYNC110 - what is waited for has no event
                    await asyncio.sleep(0.02)

    @staticmethod
    async def status(browser: Browser, name: str, path: str = "/page") -> int:
        async with browser.request("GET", name, path) as answer:
            await answer.read()
            return int(answer.status)

    async def end(self, address: str, number: int) -> None:
        self.processes[address].send_signal(number)
        await asyncio.to_thread(self.processes[address].wait, 20)


class Events:
    """What was published, from now on."""

    def __init__(self, host: str) -> None:
        os.environ["PUBSUB_EMULATOR_HOST"] = host
        self._publisher = pubsub_v1.PublisherClient()
        self._subscriber = pubsub_v1.SubscriberClient()
        name = f"agents-{secrets.token_hex(4)}"
        self.topic = f"projects/{PROJECT}/topics/{name}"
        self._subscription = f"projects/{PROJECT}/subscriptions/{name}"
        self._publisher.create_topic(name=self.topic)
        self._subscriber.create_subscription(name=self._subscription, topic=self.topic)
        self.all: list[dict[str, Any]] = []

    def pull(self, kind: str, name: str) -> list[dict[str, Any]]:
        with contextlib.suppress(DeadlineExceeded):  # there are no more
            while received := self._subscriber.pull(
                subscription=self._subscription, max_messages=100, timeout=1, retry=None
            ).received_messages:
                self.all += [json.loads(message.message.data) for message in received]
                acknowledged = [message.ack_id for message in received]
                self._subscriber.acknowledge(subscription=self._subscription, ack_ids=acknowledged)
        return [event for event in self.all if (event["type"], event["name"]) == (kind, name)]

    def close(self) -> None:
        self._publisher.transport.close()
        self._subscriber.close()
        del os.environ["PUBSUB_EMULATOR_HOST"]


@contextlib.asynccontextmanager
async def notebooks() -> AsyncIterator[web.Application]:
    """Everybody's JupyterLab: one stand-in."""
    app = backend_app()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, NOTEBOOKS, 8888).start()
    try:
        yield app
    finally:
        await runner.cleanup()


async def _status(session: aiohttp.ClientSession, url: str) -> int:
    try:
        async with session.get(url) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0
