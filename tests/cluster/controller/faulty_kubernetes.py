"""A proxy before the API server that loses, delays, cuts and replaces answers, as load balancers and bad days do."""

import json
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import urllib3
from kubernetes import client

from cluster.controller.faulty import Effect, Fault, Wire
from kupyterhub.adapters.cluster import connect
from kupyterhub_local.control_plane.pki import Pki

PATIENCE_SECONDS = 0.5
"""How long the client waits for an answer here; the functions' own waits for half a minute."""
RETRY_AFTER_SECONDS = 1
_PIECES = 8
_STATUSES: dict[str, tuple[int, str, str]] = {
    "401": (401, "Unauthorized", "Unauthorized"),
    "429": (429, "TooManyRequests", "The server has received too many requests and has asked us to try again later"),
    "500": (500, "InternalError", "Internal error occurred: etcdserver: request timed out"),
    "503": (503, "ServiceUnavailable", "apiserver is shutting down"),
}
_OF_ANY = [
    *(Fault(how) for how in ("401", "429", "500", "503", "reset", "timeout")),
    *(Fault(how, after=True) for how in ("reset", "timeout", "slow", "cut")),
]
_OF_WRITES = [
    *_OF_ANY,
    Fault("409"),
    Fault("409", after=True),
    Fault("500", after=True),
    # What stands between asks again by itself, and passes on what it is told then.
    Fault("second try", after=True),
]
_HOP = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


class Impatient(client.ApiClient):
    """The functions' own client, but for how long it waits; it tells the wire of each request."""

    def __init__(self, configuration: client.Configuration, wire: Wire) -> None:
        connect(configuration).close()
        super().__init__(configuration)
        self._wire = wire

    def call_api(self, *request: Any, **more: Any) -> Any:
        self._wire.tries.append([])
        more["_request_timeout"] = (PATIENCE_SECONDS, PATIENCE_SECONDS)
        return super().call_api(*request, **more)


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: urllib3.PoolManager
    api_server: str
    wire: Wire

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        _, _, what = self.path.partition("?")[0].partition("/namespaces/")[2].partition("/")
        fault = self.wire.next(
            "kubernetes", f"{self.command} {what}", _OF_ANY if self.command == "GET" else _OF_WRITES
        )
        answer = self._forward(body) if fault is None or fault.after else _Answer(0, {}, b"")
        match fault:
            case None:
                self._answer(answer)
            case Fault("second try"):
                self._answer(self._forward(body))
            case Fault("reset"):
                self._reset()
            case Fault("timeout"):
                time.sleep(PATIENCE_SECONDS + 0.1)
                self._reset()
            case Fault("cut"):
                self._start(answer)
                self.wfile.write(answer.body[: len(answer.body) // 2])
                self._reset()
            case Fault("slow"):
                self._dribble(answer)
            case Fault("409"):
                self._say(409, "Conflict", self._conflict())
            case Fault(how):
                self._say(*_STATUSES[how])

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _forward(self, body: bytes) -> _Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        url = f"{self.api_server}{self.path}"
        found = self.upstream.request(self.command, url, body=body, headers=headers, retries=False)
        if self.command != "GET" and found.status < 300:
            self.wire.took_effect(Effect("kubernetes", f"{self.command} {self.path.partition('?')[0]}", body))
        kept = {name: value for name, value in found.headers.items() if name.lower() not in _HOP}
        return _Answer(found.status, kept, found.data)

    def _conflict(self) -> str:
        # A quota is updated with each new object: https://github.com/kubernetes/kubernetes/issues/67761
        what = 'resourcequotas "kupyterhub"' if self.command == "POST" else "what was sent"
        return (
            f"Operation cannot be fulfilled on {what}: the object has been modified; please apply your changes to "
            "the latest version and try again"
        )

    def _say(self, status: int, reason: str, message: str) -> None:
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        later = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 429 else {}
        body = json.dumps({**said, "reason": reason, "message": message}).encode()
        self._answer(_Answer(status, {"Content-Type": "application/json", **later}, body))

    def _answer(self, answer: _Answer) -> None:
        self._start(answer)
        self.wfile.write(answer.body)

    def _start(self, answer: _Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _dribble(self, answer: _Answer) -> None:
        self._start(answer)
        length = len(answer.body)
        for piece in range(_PIECES):
            self.wfile.write(answer.body[piece * length // _PIECES : (piece + 1) * length // _PIECES])
            time.sleep(0.03)

    def _reset(self) -> None:
        self.close_connection = True
        # Without lingering, what was not sent is thrown away and the other side gets a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that no longer waits is what all this is about."""


@contextmanager
def before_kubernetes(api_server: str, pki: Pki, wire: Wire) -> Iterator[str]:
    """Serve before the API server at the URL `api_server`, with its certificate; the proxy's URL."""
    upstream = urllib3.PoolManager(ca_certs=str(pki.ca), cert_reqs="CERT_REQUIRED", maxsize=8)
    handler = type("Handler", (_Handler,), {"upstream": upstream, "api_server": api_server, "wire": wire})
    with _Server(("127.0.0.1", 0), handler) as proxy:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = pki.pair("apiserver")
        context.load_cert_chain(pair.certificate, pair.key)
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"https://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            thread.join()
            upstream.clear()
