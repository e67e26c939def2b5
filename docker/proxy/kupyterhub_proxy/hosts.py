"""The server's host names, from its configured domain; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from kupyterhub_rules.names import is_name

PORTAL = "portal"
"""Like a user's host, it has people sent to the sign-in host and back. No name of a user is like it."""


class Place(Enum):
    """The hosts that are no user's."""

    LOGIN = auto()
    AGENTS = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Hosts:
    """`scheme` is http or https; `domain` has its port where that is not the scheme's own."""

    scheme: str
    domain: str
    portal: str | None = None
    """Origin of the portal, where there is one."""

    @property
    def login(self) -> str:
        """Origin of the sign-in host."""
        return self._origin("login")

    @property
    def agents(self) -> str:
        """Origin of the agents' host."""
        return self._origin("agents")

    @property
    def audience(self) -> str:
        """What agents' tokens must be meant for: scheme and host of `agents.<domain>`, no port."""
        return f"{self.scheme}://agents.{self.domain.partition(':')[0]}"

    def user(self, name: str) -> str:
        """Origin of a user's host."""
        return self._origin(name)

    def wanted(self, host: str) -> str:
        """Origin of what somebody may want to get to: a user's host by its name, or the portal by `PORTAL`."""
        return self.portal if host == PORTAL and self.portal else self._origin(host)

    def place(self, host_header: str) -> Place | str:
        """Tell what a Host header means: a Place, or the name of a user."""
        host, colon, port = host_header.lower().partition(":")
        # A name may be written as the whole that it is, with a dot at its end.
        label, _, domain = host.removesuffix(".").partition(".")
        if f"{domain}{colon}{port}" != self.domain:
            return Place.UNKNOWN
        match label:
            case "login":
                return Place.LOGIN
            case "agents":
                return Place.AGENTS
            case _:
                return label if is_name(label) else Place.UNKNOWN

    def _origin(self, label: str) -> str:
        return f"{self.scheme}://{label}.{self.domain}"
