"""Downloads whose size and digest are checked before anything uses them."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from kupyterhub_local.errors import CorruptDownload, Unreachable

# Where a publisher cannot be reached, packets are often dropped in silence: this short wait decides.
CONNECT_SECONDS = 3.0
STALLED_SECONDS = 30.0
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Expected:
    """What was announced: `digest` in hex, of the hashlib algorithm named; `size` in bytes if known."""

    algorithm: str
    digest: str
    size: int | None = None


async def text(url: str) -> str:
    """Return the small text at `url`; raises Unreachable."""
    async with _get(url) as answer:
        return await answer.text()


async def file(url: str, path: Path, expected: Expected) -> None:
    """Write what is at `url` to `path`; raises Unreachable, CorruptDownload (nothing is left)."""
    digest = hashlib.new(expected.algorithm)
    async with _get(url) as answer:
        with path.open("wb") as target:
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
    _require(expected, url, path, digest.hexdigest())


def _require(expected: Expected, url: str, path: Path, digest: str) -> None:
    size = path.stat().st_size
    if expected.size is not None and size != expected.size:
        problem = f"has {size} bytes, where {expected.size} were announced"
    elif digest != expected.digest:
        problem = f"has the {expected.algorithm} {digest}, where {expected.digest} was announced"
    else:
        return
    path.unlink()
    raise CorruptDownload(f"{url} {problem}. It was not used. Try again; if it stays so, do not trust it.")


@asynccontextmanager
async def _get(url: str) -> AsyncIterator[aiohttp.ClientResponse]:
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=STALLED_SECONDS)
    try:
        # trust_env: proxies and .netrc, as for every other client on this machine
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url) as answer,
        ):
            if not answer.ok:
                raise Unreachable(f"{url} answered {answer.status} {answer.reason}.")
            yield answer
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{url} cannot be reached ({error or type(error).__name__}).") from error
