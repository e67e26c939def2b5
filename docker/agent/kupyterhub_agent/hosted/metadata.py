"""The metadata server of the VM: where it is, which it is, and the tokens that prove it.

On GKE only pods of a node pool with `workload_metadata_config.mode = GCE_METADATA` get a VM identity token.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import tenacity
from yarl import URL

from kupyterhub_agent.hosted.errors import MetadataUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_HOST = "metadata.google.internal"

_FLAVOR = {"Metadata-Flavor": "Google"}
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_ACCOUNT = "instance/service-accounts/default"


@dataclass(frozen=True, slots=True)
class Token:
    """Something that proves who we are for a time."""

    value: str
    expires_at: float
    """Seconds since 1970."""


def metadata_host(environment: Mapping[str, str]) -> str:
    """Give the metadata server's host, with its port if that is not 80; as google-auth finds it."""
    return environment.get("GCE_METADATA_HOST") or DEFAULT_HOST


class MetadataServer:
    """Asks it. Every method raises MetadataUnavailable, after three tries."""

    def __init__(self, session: aiohttp.ClientSession, host: str, now: Callable[[], float] = time.time) -> None:
        self._session = session
        self._root = f"http://{host}/computeMetadata/v1/"
        self._now = now

    async def zone(self) -> str:
        """Say in which zone the VM is, as `us-west1-b`."""
        return (await self._get("instance/zone")).rpartition("/")[2]

    async def vm_id(self) -> str:
        """Say which VM this is."""
        return await self._get("instance/id")

    async def vm_token(self, audience: str) -> Token:
        """Get the VM's identity token, a JWT with its instance, for one audience."""
        jwt = await self._get(f"{_ACCOUNT}/identity", {"audience": audience, "format": "full"})
        return Token(jwt, _expiry(jwt))

    async def access_token(self) -> Token:
        """Get an access token of the VM's service account."""
        answer = await self._get(f"{_ACCOUNT}/token")
        try:
            fields = json.loads(answer)
            return Token(str(fields["access_token"]), self._now() + float(fields["expires_in"]))
        except (ValueError, TypeError, KeyError) as error:
            raise MetadataUnavailable("the metadata server's access token has another form") from error

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(MetadataUnavailable),
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> str:
        url = URL(self._root + path).with_query(query)
        try:
            async with self._session.get(url, headers=_FLAVOR, timeout=_TIMEOUT, allow_redirects=False) as answer:
                # Others may listen there; only the real one says this.
                if answer.headers.get("Metadata-Flavor") != "Google":
                    raise MetadataUnavailable(f"what answers at {url.authority} is no metadata server")
                if answer.status != 200:  # noqa: PLR2004
                    raise MetadataUnavailable(f"the metadata server answered {answer.status} for {path}")
                return (await answer.text()).strip()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise MetadataUnavailable(f"no answer from {url.authority} ({type(error).__name__})") from error


def _expiry(jwt: str) -> float:
    """Read when a JWT expires; whoever gets it verifies it."""
    try:
        payload = jwt.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, ValueError, TypeError, KeyError, binascii.Error) as error:
        raise MetadataUnavailable("the metadata server's identity token is no JWT") from error
