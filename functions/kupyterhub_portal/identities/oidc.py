"""Identity by an OpenID provider, which sends the browser back with a code; a session of ours follows.

What only the browser that began may bring back, state, nonce and the code's verifier (RFC 7636), is in a signed
cookie of its own. Signing out is of the portal: at the provider people stay signed in.
"""

import secrets

from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Request, Response

from kupyterhub.domain.names import normalise_email
from kupyterhub_portal.cookies import Cookie
from kupyterhub_portal.entrance import SIGN_OUT, SignOut
from kupyterhub_portal.forms import Forms
from kupyterhub_portal.identities.provider import Provider
from kupyterhub_portal.pages import local_path, redirect
from kupyterhub_portal.problem import Problem
from kupyterhub_portal.sessions import Sessions
from kupyterhub_portal.settings import Oidc
from kupyterhub_portal.visitor import Visitor

CALLBACK = "/callback"
_ATTEMPT_SECONDS = 10 * 60
_MAX_PATH = 512


class OidcEntrance:
    """By a sign-in at the provider, and a session of ours after it."""

    sign_out = SignOut()

    def __init__(self, sessions: Sessions, forms: Forms, oidc: Oidc, origin: str, key: bytes) -> None:
        self._sessions = sessions
        self._forms = forms
        self._provider = Provider(oidc, f"{origin}{CALLBACK}")
        self._attempts = URLSafeTimedSerializer(key, salt="portal attempt")
        self._cookie = Cookie("attempt", origin.startswith("https:"))

    def answer(self, request: Request) -> Response | None:
        """Take back who was sent to the provider, and sign out."""
        match request.method, request.path:
            case "GET", path if path == CALLBACK:
                return self._finish(request)
            case "POST", path if path == SIGN_OUT:
                self._forms.require_origin(request)
                response = redirect("/signed-out")
                self._sessions.end(response)
                return response
            case "GET", "/signed-out":
                raise Problem(200, "You are signed out", "Notebooks go on running.", ("/", "Sign in"))
        return None

    def visitor(self, request: Request) -> Visitor | None:
        """Say who is signed in."""
        return self._sessions.visitor(request)

    def ask(self, request: Request) -> Response:
        """Lead to the provider."""
        path = local_path(request.full_path.rstrip("?"))
        attempt = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        attempt["next"] = path if len(path) <= _MAX_PATH else "/"
        response = redirect(self._provider.sign_in_url(attempt))
        self._cookie.set(response, self._attempts.dumps(attempt), _ATTEMPT_SECONDS)
        return response

    def _finish(self, request: Request) -> Response:
        try:
            attempt = self._attempts.loads(self._cookie.read(request), max_age=_ATTEMPT_SECONDS)
        except BadData:
            attempt = {"state": ""}
        state = request.args.get("state", "")
        if not state or not secrets.compare_digest(attempt["state"].encode(), state.encode(errors="replace")):
            raise Problem(
                400,
                "This sign-in has run out",
                "It was begun too long ago, in another tab, or it is finished already. Nothing is lost: begin again.",
                ("/", "Sign in"),
            )
        if "error" in request.args:
            raise Problem(403, "You are not signed in", "The sign-in was cancelled, or refused.", ("/", "Sign in"))
        claims = self._provider.claims(attempt, request.args.get("code", ""))
        email = normalise_email(str(claims.get("email", "")))
        # A text "true" is no proof: only the boolean is what the standard says (OpenID Connect Core 1.0, 5.1).
        if email is None or claims.get("email_verified") is not True:
            raise Problem(
                403,
                "Your e-mail address is not verified",
                "The sign-in service does not vouch for an address of yours. Have it verified there, then come back.",
                ("/", "Sign in"),
            )
        response = redirect(attempt["next"])
        self._sessions.begin(response, email)
        self._cookie.set(response, "", 0)
        return response
