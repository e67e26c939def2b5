"""How each way to learn who somebody is looks to the rest of the portal."""

from dataclasses import dataclass
from typing import Protocol

from werkzeug.wrappers import Request, Response

from kupyterhub_portal.visitor import Visitor

SIGN_OUT = "/sign-out"


@dataclass(frozen=True, slots=True)
class SignOut:
    """Where one signs out: by a form of ours, or by a link to who signed the person in."""

    url: str = SIGN_OUT
    by_link: bool = False


class Entrance(Protocol):
    """One way. Each method may raise Problem."""

    sign_out: SignOut
    sign_in_host: str
    """Another origin that pages and forms are led to; empty where there is none."""

    def answer(self, request: Request) -> Response | None:
        """Answer a request of the sign-in itself; None for any other."""

    def visitor(self, request: Request) -> Visitor | None:
        """Say who asks; None for nobody who is signed in."""

    def is_due(self, request: Request) -> bool:
        """Whether that should be found out anew before the next page."""

    def ask(self, request: Request) -> Response:
        """Begin a sign-in that leads back to the page that was asked for."""
