"""Where somebody wanted to go before they had to sign in; it travels through the sign-in. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from kupyterhub_proxy.hosts import PORTAL
from kupyterhub_proxy.pages import local_path
from kupyterhub_rules.names import is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PATH = 2048
"""Characters of a path that can travel: it does so in a cookie, and browsers drop one of more than 4096 bytes."""

_PROOF = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A user's host or the portal, the proof that it asked for (`Sessions.prove`), a path there; all may be empty."""

    host: str = ""
    proof: str = ""
    next: str = "/"

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Wanted:
        """Read it from a query or a form, which anybody may have written."""
        host, proof = values.get("host", ""), values.get("proof", "")
        if host != PORTAL and not is_name(host):
            return cls()
        path = local_path(values.get("next", "/"))
        return cls(host, proof if _PROOF.fullmatch(proof) else "", path if len(path) <= MOST_PATH else "/")

    def fields(self) -> dict[str, str]:
        """Give what `read` reads."""
        return asdict(self)

    def query(self, **more: str) -> str:
        """Give it as a query, without its question mark."""
        return urlencode({**self.fields(), **more})
