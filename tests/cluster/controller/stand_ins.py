"""Stand-ins for Google's token endpoint and for the API server of a GKE cluster, both strict."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kupyterhub_local.control_plane.pki import Pki

ACCOUNT = "functions@project.iam.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# google-auth's, wherever the endpoint is.
AUDIENCE = "https://oauth2.googleapis.com/token"
SCOPES = {
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
}


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass
class TokenEndpoint:
    """Gives a token for a signed assertion of the account that it knows, and for nothing else."""

    lifetime_seconds: int = 3600
    issued: list[str] = field(default_factory=list)
    refuses: bool = False
    url: str = ""
    _key: rsa.RSAPrivateKey = field(default_factory=_key)

    def account(self) -> dict[str, str]:
        """The file that GOOGLE_APPLICATION_CREDENTIALS names."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": self.url,
        }

    def answer(self, request: "Request") -> tuple[int, Any]:
        form = parse_qs(request.body.decode())
        try:
            claims = jwt.decode(form["assertion"][0], self._key.public_key(), algorithms=["RS256"], audience=AUDIENCE)
        except jwt.InvalidTokenError:
            return 400, {"error": "invalid_grant"}
        asked = (form["grant_type"], claims["iss"], set(claims["scope"].split()))
        if self.refuses or asked != ([GRANT], ACCOUNT, SCOPES):
            return 400, {"error": "invalid_grant", "error_description": "the secret reason"}
        self.issued.append(f"token-{len(self.issued) + 1}")
        return 200, {"access_token": self.issued[-1], "expires_in": self.lifetime_seconds, "token_type": "Bearer"}


@dataclass
class ApiServer:
    """Has no objects, and tells that only those who bear the newest token."""

    tokens: TokenEndpoint
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, request: "Request") -> tuple[int, Any]:
        if not self.tokens.issued or request.headers.get("authorization") != f"Bearer {self.tokens.issued[-1]}":
            return 401, {"kind": "Status", "reason": "Unauthorized"}
        self.asked.append(request.path)
        return 404, {"kind": "Status", "reason": "NotFound"}


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@contextmanager
def serving(what: TokenEndpoint | ApiServer, pki: Pki | None = None) -> Iterator[None]:
    """Serve it on loopback, over TLS where there are certificates."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = what.answer(Request(self.path, headers, body))
            answer = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _serve  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that does not trust us is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if pki:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            pair = pki.pair("apiserver")
            context.load_cert_chain(pair.certificate, pair.key)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        what.url = f"{'https' if pki else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
