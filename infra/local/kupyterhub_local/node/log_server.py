"""The kubelet's API as far as `kubectl logs` needs it: /containerLogs/{namespace}/{pod}/{container}."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from .logs import LogQuery, send_log
from .pods import Pods


class LogServer:
    """Serves logs to whoever shows a client certificate of the cluster's CA: the API server."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods

    async def start(self, port: int, tls: ssl.SSLContext) -> web.AppRunner:
        """Listen on loopback; clean the returned runner up to end it."""
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        except OSError as error:
            await runner.cleanup()
            raise SystemExit(
                f"kupyterhub node: cannot listen on 127.0.0.1:{port} (--kubelet-port): {error.strerror}"
            ) from error
        return runner

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        names = (request.match_info["namespace"], request.match_info["pod"], request.match_info["container"])
        previous = request.query.get("previous") == "true"
        found = self._pods.log(*names, previous=previous)
        if found is None:
            run = "previous run" if previous else "run"
            raise web.HTTPNotFound(text=f"no log of a {run} of container {names[2]!r} of pod {names[0]}/{names[1]}\n")
        try:
            query = _query(request)
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error

        def is_written() -> bool:
            return self._pods.log(*names, previous=previous) == (found[0], True)

        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await send_log(found[0], query, is_written, response.write)
        return response


def server_tls(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """Return TLS that refuses clients without a certificate of that CA."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_ca))
    tls.load_cert_chain(certificate, key)
    tls.verify_mode = ssl.CERT_REQUIRED
    return tls


def _query(request: web.Request) -> LogQuery:
    """Read the options of PodLogOptions. Raises ValueError for what is no number or time."""
    given = request.query
    since = None
    if "sinceSeconds" in given:
        since = datetime.now(UTC) - timedelta(seconds=int(given["sinceSeconds"]))
    elif "sinceTime" in given:
        since = datetime.fromisoformat(given["sinceTime"])
    return LogQuery(
        tail=int(given["tailLines"]) if "tailLines" in given else None,
        since=since,
        timestamps=given.get("timestamps") == "true",
        limit_bytes=int(given["limitBytes"]) if "limitBytes" in given else None,
        follow=given.get("follow") == "true",
    )
