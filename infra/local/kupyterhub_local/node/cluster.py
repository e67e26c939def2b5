"""The API server, spoken to in plain JSON; the node's only way to the cluster.

Not the generated client: importing that takes more than a second, and the node starts with every `make run`.
"""

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from .domain.manifests import Manifest

_FIELD_MANAGER = "kupyterhub-node"
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_WATCH_SECONDS = 300
_LONGEST_LINE = 4 * 1024 * 1024
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""ValueError: JSON that a lost connection cut off."""


class ApiError(Exception):
    """The API server said no, or could not be asked (then `status` is 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def not_found(self) -> bool:
        """Say whether there is no such object."""
        return self.status == 404  # noqa: PLR2004 - HTTP


class Cluster:
    """A connection to the API server that a kubeconfig names."""

    def __init__(self, kubeconfig: Path) -> None:
        context = _current_context(yaml.safe_load(kubeconfig.read_text()))
        self.server: str = context["cluster"]["server"].rstrip("/")
        self._tls = _tls(context, kubeconfig.parent)
        self._headers = {"Authorization": f"Bearer {context['user']['token']}"} if "token" in context["user"] else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=64),
            headers=self._headers,
            read_bufsize=_LONGEST_LINE,
            json_serialize=json.dumps,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: str) -> Manifest:
        """Read an object or a list. Raises ApiError, as all of these do."""
        return await self._request("GET", path, query=query)

    async def create(self, path: str, body: Manifest) -> Manifest:
        """Create an object in the collection at `path`."""
        return await self._request("POST", path, body=body)

    async def apply(self, path: str, body: Manifest) -> Manifest:
        """Make the object at `path` so (server-side apply), whether it is there or not."""
        query = {"fieldManager": _FIELD_MANAGER, "force": "true"}
        return await self._request("PATCH", path, query=query, body=body, kind="application/apply-patch+yaml")

    async def merge(self, path: str, body: Manifest) -> Manifest:
        """Change fields of the object at `path` (JSON merge patch)."""
        return await self._request("PATCH", path, body=body, kind="application/merge-patch+json")

    async def delete(self, path: str, body: Manifest | None = None) -> None:
        """Delete the object at `path`; it being gone is success."""
        try:
            await self._request("DELETE", path, body=body)
        except ApiError as error:
            if not error.not_found:
                raise

    async def watch(self, path: str, version: str, **query: str) -> AsyncIterator[tuple[str, Manifest]]:
        """Yield (type, object) of what changes after `version`, until the server ends the watch.

        Raises ApiError with status 410 when the version is too old: list again.
        """
        query |= {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
        query |= {"timeoutSeconds": str(_WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_WATCH_SECONDS + 30)
        try:
            async with self._open().get(self.server + path, params=query, timeout=timeout) as response:
                await _check(response)
                async for line in response.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"].get("code", 0), event["object"].get("message", "watch failed"))
                    yield event["type"], event["object"]
        except _NO_ANSWER as error:
            raise ApiError(0, f"watch of {path} broke: {error or type(error).__name__}") from error

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        kind: str = "application/json",
    ) -> Manifest:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": kind}
        try:
            async with self._open().request(
                method, self.server + path, params=query, data=data, headers=headers, timeout=_TIMEOUT
            ) as response:
                await _check(response)
                answer: Manifest = await response.json()
                return answer
        except _NO_ANSWER as error:
            raise ApiError(0, f"no answer to {method} {path}: {error or type(error).__name__}") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the cluster in an `async with`")
        return self._session


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.ok:
        return
    try:
        message = (await response.json()).get("message", response.reason)
    except (aiohttp.ClientError, ValueError, AttributeError):
        message = response.reason
    raise ApiError(response.status, str(message))


def _current_context(kubeconfig: dict[str, Any]) -> dict[str, Any]:
    def named(kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in kubeconfig[f"{kind}s"] if each["name"] == name)[kind]
        return found

    context = named("context", kubeconfig["current-context"])
    return {"cluster": named("cluster", context["cluster"]), "user": named("user", context["user"])}


def _tls(context: dict[str, Any], base: Path) -> ssl.SSLContext:
    """Return TLS by the kubeconfig's CA and client certificate, inline or as paths (from its folder)."""

    def pem(entry: dict[str, Any], field: str) -> bytes | None:
        if f"{field}-data" in entry:
            return base64.b64decode(entry[f"{field}-data"])
        return (base / entry[field]).read_bytes() if field in entry else None

    authority = pem(context["cluster"], "certificate-authority")
    tls = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = pem(context["user"], "client-certificate"), pem(context["user"], "client-key")
    if certificate and key:
        # ssl reads certificates from files only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            tls.load_cert_chain(file.name)
    return tls
