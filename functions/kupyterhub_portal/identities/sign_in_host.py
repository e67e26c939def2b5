"""Identity by our own server's sign-in host, which a browser is led to and comes back from with an assertion.

It comes back as to a user's host (docker/proxy: login.py), and is taken in the browser alone that holds the nonce it
was sent with. A session of ours follows; a page that is opened later has another one made in the same way, without a
page that anybody sees, so that a sign-out counts here, too.
"""

import logging
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from kupyterhub_portal.entrance import SIGN_OUT, SignOut
from kupyterhub_portal.forms import Forms
from kupyterhub_portal.identities.assertions import Assertions, Refused
from kupyterhub_portal.pages import local_path, redirect
from kupyterhub_portal.problem import Problem
from kupyterhub_portal.sessions import Sessions
from kupyterhub_portal.visitor import Visitor

SESSION_PATH = "/.kupyterhub/session"
_US = "portal"
"""What the sign-in host calls us."""

log = logging.getLogger("kupyterhub")


class SignInHostEntrance:
    """By a session of ours, which begins at the sign-in host."""

    sign_out = SignOut()

    def __init__(self, sign_in_host: str, assertions: Assertions, sessions: Sessions, forms: Forms) -> None:
        self.sign_in_host = sign_in_host
        self._assertions = assertions
        self._sessions = sessions
        self._forms = forms

    def answer(self, request: Request) -> Response | None:
        """Take back who was sent to the sign-in host, and sign out."""
        match request.method, request.path:
            case "GET" | "HEAD", path if path == SESSION_PATH:
                return self._enter(request)
            case "POST", path if path == SIGN_OUT:
                self._forms.require_origin(request)
                # Without a session of ours the sign-in host's own page says who is signed in, and asks.
                visitor = self._sessions.visitor(request)
                response = redirect(self._url(farewell=visitor.farewell) if visitor else f"{self.sign_in_host}/")
                self._sessions.end(response)
                return response
        return None

    def visitor(self, request: Request) -> Visitor | None:
        """Say who is signed in."""
        return self._sessions.visitor(request)

    def is_due(self, request: Request) -> bool:
        """Whether the session is no longer new."""
        return self._sessions.is_due(request)

    def ask(self, request: Request) -> Response:
        """Lead to the sign-in host."""
        response = Response(status=303, headers={"Cache-Control": "no-store"})
        proof = self._sessions.prove(request, response)
        response.headers["Location"] = self._url(proof=proof, next=local_path(request.full_path.rstrip("?")))
        return response

    def _enter(self, request: Request) -> Response:
        response = redirect(local_path(request.args.get("next", "/")))
        try:
            email, said = self._assertions.read(request.args.get("code", ""))
            proof, sign_in, farewell = (str(said[claim]) for claim in ("nonce", "sid", "farewell"))
        except (Refused, KeyError) as error:
            log.warning("refused an assertion of the sign-in host: %s", error)
            raise Problem(
                403,
                "This sign-in could not be verified",
                "It is too old, or not for this portal. Nothing is lost: sign in again. If this stays so, tell an "
                "administrator.",
                ("/", "Sign in"),
            ) from error
        if self._sessions.has_asked(request, proof):
            self._sessions.begin(response, Visitor(email, sign_in, farewell))
        elif not self._sessions.remembers(request):
            raise Problem(
                403,
                "Your browser does not keep the portal's cookies",
                "The portal cannot know you without them. Allow cookies for this page, and open it again.",
                ("/", "Again"),
            )
        # One that is foreign or used: the page finds the session of another tab, or begins anew.
        return response

    def _url(self, **more: str) -> str:
        return f"{self.sign_in_host}/?{urlencode({'host': _US, **more})}"
