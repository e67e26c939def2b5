"""A real OpenID provider on loopback: oidc-provider, got once into the user's cache as its lock file says."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.proxy.harness import ADA, ADMIN, EVE, free_port
from needed import need, npm_packages

SOURCE = Path(__file__).with_name("openid")
CLIENT_ID, CLIENT_SECRET = "kupyterhub", "a secret of the tests"
UNVERIFIED, CLAIMED, NAMELESS = "new@example.org", "claimed@example.org", "nameless"
# By the name that one signs in with there.
ACCOUNTS: dict[str, dict[str, Any]] = {
    **{email: {"email": email, "email_verified": True} for email in (ADA, EVE, ADMIN)},
    UNVERIFIED: {"email": UNVERIFIED, "email_verified": False},
    CLAIMED: {"email": CLAIMED, "email_verified": "true"},
    NAMELESS: {},
}


@dataclass(frozen=True)
class OpenIdProvider:
    """A running one."""

    issuer: str
    secret_file: Path
    _process: asyncio.subprocess.Process

    async def stop(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.communicate()

    def environment(self) -> dict[str, str]:
        """What our server is told of it."""
        return {
            "KUPYTERHUB_IDENTITY": "oidc",
            "KUPYTERHUB_OIDC_ISSUER": self.issuer,
            "KUPYTERHUB_OIDC_CLIENT_ID": CLIENT_ID,
            "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE": str(self.secret_file),
        }


@contextlib.asynccontextmanager
async def running_provider(
    folder: Path, login: str, *, claims_in_token: bool = False, logout: bool = True
) -> AsyncIterator[OpenIdProvider]:
    """Run one for the server whose sign-in host has the origin `login`."""
    node, modules = need("node"), await npm_packages(SOURCE, "openid-provider")
    issuer = f"http://127.0.0.1:{free_port()}"
    client = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{login}/callback"],
        "post_logout_redirect_uris": [f"{login}/signed-out"],
    }
    told = {
        "issuer": issuer,
        "client": client,
        "accounts": ACCOUNTS,
        "claimsInToken": claims_in_token,
        "logout": logout,
    }
    (folder / "openid.json").write_text(json.dumps(told))
    (folder / "openid-secret").write_text(f"{CLIENT_SECRET}\n")
    with (folder / "openid.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(node, str(SOURCE / "provider.mjs"), str(modules), str(folder / "openid.json")),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    provider = OpenIdProvider(issuer, folder / "openid-secret", process)
    try:
        assert await process.stdout.readline(), (folder / "openid.log").read_text()
        yield provider
    finally:
        await provider.stop()
