"""One look at a container by HTTP or TCP, as its manifest asks for."""

import asyncio
import contextlib
import re
import ssl

from .domain.manifests import ConfigError, Manifest

_STATUS_LINE = re.compile(rb"^HTTP/\d(?:\.\d)? (\d{3})")
_GOOD = range(200, 400)
_NOT_HTTP = "the answer is not HTTP"


async def look(probe: Manifest, container: Manifest, pod_ip: str) -> str:
    """Return why the look failed, or nothing when it was good.

    Raises ConfigError for a kind of probe that this node does not know.
    """
    try:
        async with asyncio.timeout(probe.get("timeoutSeconds", 1)):
            if "httpGet" in probe:
                return await _http(probe["httpGet"], container, pod_ip)
            if "tcpSocket" in probe:
                return await _tcp(probe["tcpSocket"], container, pod_ip)
    except TimeoutError:
        return f"no answer within {probe.get('timeoutSeconds', 1)} s"
    except OSError as error:
        return f"no connection: {error.strerror or error}"
    except ValueError:  # a line without an end
        return _NOT_HTTP
    raise ConfigError(f"container {container['name']!r}: this node probes by httpGet and tcpSocket only")


async def _http(target: Manifest, container: Manifest, pod_ip: str) -> str:
    host, port = target.get("host", pod_ip), _port(target["port"], container)
    headers = {
        "Host": f"{host}:{port}",
        "User-Agent": "kube-probe/kupyterhub",
        "Accept": "*/*",
        "Connection": "close",
    }
    headers |= {header["name"]: header["value"] for header in target.get("httpHeaders", [])}
    lines = [
        f"GET {target.get('path') or '/'} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    reader, writer = await asyncio.open_connection(
        host, port, ssl=_tls() if target.get("scheme") == "HTTPS" else None
    )
    try:
        writer.write("\r\n".join(lines).encode())
        status = _STATUS_LINE.match(await reader.readline())
    finally:
        writer.close()
    if status is None:
        return _NOT_HTTP
    return "" if int(status[1]) in _GOOD else f"HTTP status {int(status[1])}"


async def _tcp(target: Manifest, container: Manifest, pod_ip: str) -> str:
    _, writer = await asyncio.open_connection(target.get("host", pod_ip), _port(target["port"], container))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""


def _port(port: int | str, container: Manifest) -> int:
    if isinstance(port, int):
        return port
    for declared in container.get("ports", []):
        if declared.get("name") == port:
            return int(declared["containerPort"])
    raise ConfigError(f"container {container['name']!r} has no port named {port!r}")


def _tls() -> ssl.SSLContext:
    """Kubelets do not verify what they probe either."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
