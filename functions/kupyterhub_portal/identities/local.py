"""Identity for one machine: whoever sits at it says who they are. On loopback only, which is looked at each time."""

from collections.abc import Sequence

from werkzeug.wrappers import Request, Response

from kupyterhub.domain.names import normalise_email
from kupyterhub_portal.entrance import SIGN_OUT, SignOut
from kupyterhub_portal.forms import Forms
from kupyterhub_portal.pages import local_path, page, redirect
from kupyterhub_portal.problem import Problem
from kupyterhub_portal.sessions import Sessions
from kupyterhub_portal.settings import is_loopback
from kupyterhub_portal.visitor import Visitor

_SIGN_IN = "/sign-in"


class LocalEntrance:
    """Offers the administrators, and takes any e-mail."""

    sign_out = SignOut()

    def __init__(self, sessions: Sessions, forms: Forms, admins: Sequence[str]) -> None:
        self._sessions = sessions
        self._forms = forms
        self._admins = admins

    def answer(self, request: Request) -> Response | None:
        """Take the e-mail of the sign-in page's form at its word, and sign out."""
        if not is_loopback(request.remote_addr or ""):
            raise Problem(
                403,
                "This portal is for one machine only",
                "KUPYTERHUB_IDENTITY is local: nobody is asked for a password, so nobody comes in from elsewhere.",
            )
        match request.method, request.path:
            case "POST", path if path == _SIGN_IN:
                return self._sign_in(request)
            case "POST", path if path == SIGN_OUT:
                self._forms.require_origin(request)
                response = redirect("/")
                self._sessions.end(response)
                return response
        return None

    def visitor(self, request: Request) -> Visitor | None:
        """Say who is signed in."""
        return self._sessions.visitor(request)

    def ask(self, request: Request) -> Response:
        """Ask who it is."""
        return self._page(local_path(request.full_path.rstrip("?")))

    def _sign_in(self, request: Request) -> Response:
        self._forms.require_origin(request)
        following = local_path(request.form.get("next", "/"))
        given = request.form.get("email", "")
        email = normalise_email(given)
        if email is None:
            return self._page(following, given, "That is not an e-mail address, such as ada@example.com.")
        response = redirect(following)
        self._sessions.begin(response, email)
        return response

    def _page(self, following: str, given: str = "", problem: str = "") -> Response:
        return page(
            "sign-in.html",
            status=400 if problem else 200,
            admins=sorted(self._admins),
            following=following,
            given=given,
            problem=problem,
        )
