"""Google's side as an agent sees it: a VM's metadata server, the public configuration, the hosted service.

All of it is strict: what an agent should not send is refused and remembered, and a test ends by looking there.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web
from google.auth import jwt

from cluster.interop.google_server import StandInServer
from twins.google_vm import google_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_FLAVOR = {"Metadata-Flavor": "Google"}
_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
DOMAIN = "us-west1.notebooks.googleusercontent.com"


class Vm:
    """A VM and its metadata server. `vm_id` may be changed, as may how long tokens are good for."""

    def __init__(self) -> None:
        self.vm_id = "4711"
        self.token_seconds = 3600
        self.refusals: list[str] = []
        self.asked: Counter[str] = Counter()
        self.flavor = dict(_FLAVOR)
        self._access: dict[str, float] = {}

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.asked[request.path] += 1
        if request.headers.get("Metadata-Flavor") != "Google" or "X-Forwarded-For" in request.headers:
            self.refusals.append(f"metadata: {request.path} without its header")
            return web.Response(status=403)
        match request.path:
            case "/computeMetadata/v1/instance/zone":
                text = "projects/123/zones/us-west1-b"
            case "/computeMetadata/v1/instance/id":
                text = self.vm_id
            case path if path == f"{_ACCOUNT}/identity" and request.query.get("format") == "full":
                text = self._identity(request.query["audience"])
            case path if path == f"{_ACCOUNT}/token":
                token = secrets.token_urlsafe(16)
                self._access[token] = time.time() + self.token_seconds
                text = json.dumps({"access_token": token, "expires_in": self.token_seconds, "token_type": "Bearer"})
            case path:
                self.refusals.append(f"metadata: {path} is asked for")
                return web.Response(status=404, headers=_FLAVOR)
        return web.Response(text=text, headers=self.flavor)

    def refusal(self, request: web.BaseRequest, audience: str) -> str | None:
        """Say what is wrong with the proofs that a request carries."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self._access.get(token, 0) < time.time():
            return "no access token that is good now"
        try:
            claims = jwt.decode(
                request.headers.get("X-Inverting-Proxy-VM-ID", ""), google_keys().certificates, audience=audience
            )
        except ValueError as error:
            return f"no identity for {audience}: {error}"
        if claims["google"]["compute_engine"]["instance_id"] != self.vm_id:
            return "the identity of another VM"
        return None

    def _identity(self, audience: str) -> str:
        engine = {"project_id": "project", "zone": "us-west1-b", "instance_id": self.vm_id}
        expires = int(time.time()) + self.token_seconds
        return google_keys().token(audience, exp=expires, google={"compute_engine": engine})


@dataclass
class Backend:
    email: str
    vm_id: str
    server: StandInServer = field(default_factory=StandInServer)
    forgotten: asyncio.Event = field(default_factory=asyncio.Event)

    async def poll(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a poll, at the latest when the registration is lost."""
        polling = asyncio.create_task(self.server.handle(request))
        forgotten = asyncio.create_task(self.forgotten.wait())
        try:
            await asyncio.wait({polling, forgotten}, return_when=asyncio.FIRST_COMPLETED)
            return polling.result() if polling.done() else web.Response(status=401, text="unknown backend")
        finally:
            polling.cancel()
            forgotten.cancel()


class HostedService:
    """Gives each e-mail on each VM a host name, and passes on what comes for it."""

    def __init__(self, vm: Vm) -> None:
        self.vm = vm
        self.url = ""
        self.accepts_vm = True
        self.refusals: list[str] = []
        self.registered: list[str] = []
        """The e-mails, in the order of their registrations."""
        self.requests: Counter[str] = Counter()
        self.polling: Counter[str] = Counter()
        """How many polls wait, by e-mail."""
        self._backends: dict[str, Backend] = {}
        self._failures: Counter[str] = Counter()

    def config(self) -> dict[str, Any]:
        """The public configuration, with proxies that are no good before the one that is."""
        urls = {"us-west1": ["http://127.0.0.1:1/"], "us-west2": [self.url], "europe": ["http://127.0.0.1:1/"]}
        return {"agent-docker-containers": {"latest": {"proxy-urls": urls}, "20200101": {"proxy-urls": {}}}}

    def hostname(self, email: str) -> str:
        return f"{hashlib.sha256(f'{email} {self.vm.vm_id}'.encode()).hexdigest()[:16]}-dot-{DOMAIN}"

    def fail(self, path: str, times: int = 1) -> None:
        """Answer 503 so often."""
        self._failures[path] += times

    def forget(self) -> None:
        """Lose all registrations."""
        for backend in self._backends.values():
            backend.forgotten.set()
        self._backends.clear()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        self.requests[path] += 1
        if self._failures[path]:
            self._failures[path] -= 1
            return web.Response(status=503)
        match request.method, path:
            case "HEAD", "/":
                headers = {"Location": "https://accounts.google.com/"}
                return web.Response(status=307 if self.accepts_vm else 403, headers=headers)
            case "GET", "/proxy-agent-config.json":
                return web.json_response(self.config())
            case "POST", "/request-endpoint":
                return await self._register(request)
            case ("GET", "/agent/pending" | "/agent/request") | ("POST", "/agent/response"):
                return await self._agent(request)
        return self._refuse(404, f"{request.method} {path}")

    async def browser(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a person's browser, who is signed in."""
        for backend in reversed(self._backends.values()):
            if request.host.partition(":")[0] == self.hostname(backend.email):
                return await backend.server._browser(request)
        return web.Response(status=404)

    async def _register(self, request: web.BaseRequest) -> web.Response:
        if refusal := self.vm.refusal(request, f"{self.url}/request-endpoint"):
            return self._refuse(403, refusal)
        email = await request.text()
        if "@" not in email:
            return self._refuse(400, f"an e-mail that is {email!r}")
        backend_id = secrets.token_hex(8)
        self._backends[backend_id] = Backend(email, self.vm.vm_id)
        self.registered.append(email)
        return web.json_response({"hostname": self.hostname(email), "backendID": backend_id})

    async def _agent(self, request: web.BaseRequest) -> web.StreamResponse:
        backend = self._backends.get(request.headers.get("X-Inverting-Proxy-Backend-ID", ""))
        if backend is None or backend.vm_id != self.vm.vm_id:
            return web.Response(status=401, text="unknown backend")
        if refusal := self.vm.refusal(request, f"{self.url}/"):
            return self._refuse(401, refusal)
        if request.path == "/agent/pending":
            if "X-Inverting-Proxy-Request-ID" in request.headers:
                return self._refuse(400, "a poll for one request")
            self.polling[backend.email] += 1
            try:
                return await backend.poll(request)
            finally:
                self.polling[backend.email] -= 1
        return await backend.server.handle(request)

    def _refuse(self, status: int, why: str) -> web.Response:
        self.refusals.append(why)
        return web.Response(status=status, text=why)


@dataclass
class Google:
    """All of it, running."""

    vm: Vm
    service: HostedService
    metadata_host: str
    front: str
    """`http://127.0.0.1:<port>`: where browsers connect."""
    front_port: int


@contextlib.asynccontextmanager
async def running_google(tls: ssl.SSLContext | None = None) -> AsyncIterator[Google]:
    """Run it; with `tls` browsers connect by it."""
    vm = Vm()
    service = HostedService(vm)
    async with _listening(vm.handle) as metadata, _listening(service.handle) as address:
        service.url = f"http://{address}"
        async with _listening(service.browser, tls) as front:
            yield Google(vm, service, metadata, f"http://{front}", int(front.rpartition(":")[2]))
    assert not vm.refusals
    assert not service.refusals


@contextlib.asynccontextmanager
async def _listening(handler: Any, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    # A poll or a browser that went away is answered no more.
    server = web.Server(handler, auto_decompress=False, access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield "{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()
