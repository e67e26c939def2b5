"""One request: is it for us, who asks, may they so often, may they there; then the page that answers it."""

import logging
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from kupyterhub.domain.errors import TransientError
from kupyterhub_portal import pages
from kupyterhub_portal.domain import pasted
from kupyterhub_portal.entrance import Entrance
from kupyterhub_portal.forms import Forms
from kupyterhub_portal.limits import Limit
from kupyterhub_portal.problem import Problem
from kupyterhub_portal.visitor import Visitor

MAX_BODY = 256 * 1024
"""Bytes of a form; a pasted list of the most people that are taken at once is far below."""
_HTTPS_SECONDS = 365 * 24 * 60 * 60
_READING = frozenset({"GET", "HEAD"})
# What portal.js asks with. Identity-Aware Proxy answers 401 to it, too, where a page would be led to a sign-in.
_BY_SCRIPT = ("X-Requested-With", "XMLHttpRequest")

Handler = Callable[[Request, Visitor], Response]
Routes = dict[tuple[str, str], Handler]
log = logging.getLogger("kupyterhub")


class Frame:
    """What is around each page: who it is for."""

    def __init__(self, forms: Forms, entrance: Entrance, admins: Collection[str]) -> None:
        self._forms = forms
        self._entrance = entrance
        self._admins = admins

    def is_admin(self, visitor: Visitor) -> bool:
        """Whether somebody administrates."""
        return visitor.email in self._admins

    def page(self, template: str, visitor: Visitor, *, status: int = 200, **values: Any) -> Response:
        """Render a page for a visitor."""
        return pages.page(template, self._entrance.sign_in_host, status=status, **self._of(visitor), **values)

    def begun(self, template: str, visitor: Visitor, **values: Any) -> Response:
        """Render one that begins before all of it is known (`pages.begun`)."""
        return pages.begun(template, self._entrance.sign_in_host, **self._of(visitor), **values)

    def _of(self, visitor: Visitor) -> dict[str, Any]:
        return {
            "email": visitor.email,
            "is_admin": self.is_admin(visitor),
            "sign_out": self._entrance.sign_out,
            "token": self._forms.token(visitor),
        }


class Portal:
    """Everything behind the portal's origin. `of_people` are for anybody, `of_admins` for administrators."""

    def __init__(  # noqa: PLR0913 - each is another matter
        self,
        origin: str,
        entrance: Entrance,
        forms: Forms,
        frame: Frame,
        *,
        reads: Limit,
        writes: Limit,
        of_people: Routes,
        of_admins: Routes,
    ) -> None:
        self._origin = origin
        self._entrance = entrance
        self._forms = forms
        self._frame = frame
        self._reads = reads
        self._writes = writes
        self._of_people = of_people
        self._of_admins = of_admins

    def answer(self, request: Request) -> Response:
        """Answer it; what goes wrong is a page too. Where it is https, browsers shall come by nothing else."""
        answer = self._tried(request)
        if self._origin.startswith("https:"):
            answer.headers["Strict-Transport-Security"] = f"max-age={_HTTPS_SECONDS}"
        return answer

    def _tried(self, request: Request) -> Response:
        request.max_content_length = MAX_BODY
        try:
            return self._answer(request)
        except Problem as problem:
            answer = pages.page(
                "problem.html", status=problem.status, title=problem.title, text=problem.text, link=problem.link
            )
            if problem.status == 429:  # noqa: PLR2004 - too many requests
                answer.headers["Retry-After"] = "10"
            return answer
        except TransientError as error:
            log.warning("the portal could not answer: %s", error)
            return _sorry(503, "This does not work just now", "The list of people cannot be reached. Try again.")
        except RequestEntityTooLarge:
            # The one form that holds much.
            return _sorry(413, "This is too much at once", pasted.TOO_MANY, ("/people/add", "Add people"))
        except HTTPException as error:
            return _sorry(error.code or 400, "This could not be read", "It is malformed. Nothing was done.")
        except Exception:  # functions-framework would show its text to whoever asked
            log.exception("a mistake of the portal")
            return _sorry(500, "Something is wrong here", "The portal could not make this page. Its log says why.")
        finally:
            # functions-framework reads what is left of a body before it answers, so that browsers hear the answer.
            request.max_content_length = None

    def _answer(self, request: Request) -> Response:
        if found := pages.static(request):
            return found
        if request.host.lower() != urlsplit(self._origin).netloc:
            # Another name for the same server: cookies and forms are of one, and nobody else's name counts.
            if request.method in _READING:
                return pages.redirect(f"{self._origin}{pages.local_path(request.full_path.rstrip('?'))}")
            raise Problem(
                421, "The portal has another address", f"Open {self._origin}.", (self._origin, "The portal")
            )
        if answer := self._entrance.answer(request):
            return answer
        visitor = self._entrance.visitor(request)
        # A sign-in begins by a page that is opened: it leads back to that page, which must be one.
        is_page = request.method in _READING and request.headers.get(_BY_SCRIPT[0]) != _BY_SCRIPT[1]
        if is_page and (visitor is None or self._entrance.is_due(request)):
            return self._entrance.ask(request)
        if visitor is not None:
            return self._serve(request, visitor)
        if request.method in _READING:
            raise Problem(401, "You are not signed in any more", "Sign in, then try again.", ("/", "Sign in"))
        return self._again(request)

    def _again(self, request: Request) -> Response:
        """Give back what a form holds whose sender is not signed in any more: it is sent again after a sign-in."""
        self._forms.require_origin(request)
        return pages.page(
            "again.html",
            self._entrance.sign_in_host,
            status=401,
            action=request.path,
            fields=[*request.form.items(multi=True)],
        )

    def _serve(self, request: Request, visitor: Visitor) -> Response:
        limit = self._reads if request.method in _READING else self._writes
        if not limit.allows(visitor.email):
            raise Problem(429, "That was a little fast", "Wait some seconds, then go on. Nothing was lost.")
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._handler((method, request.path), visitor)
        if method != "GET":
            self._forms.require(request, visitor)
        return handler(request, visitor)

    def _handler(self, route: tuple[str, str], visitor: Visitor) -> Handler:
        if route in self._of_people:
            return self._of_people[route]
        if route not in self._of_admins:
            raise self._nothing_there(route[1])
        if not self._frame.is_admin(visitor):
            raise Problem(
                403,
                "This page is for administrators",
                f"You are {visitor.email}, who is none of them. The settings name them (admins).",
            )
        return self._of_admins[route]

    def _nothing_there(self, path: str) -> Problem:
        methods = {method for method, known in (*self._of_people, *self._of_admins) if known == path}
        if methods == {"POST"}:
            # Where a button led, and what a browser asks for again after a page that said that it did not work.
            return Problem(405, "Nothing was done", "What you wanted is behind a button: go back to it.")
        if methods:
            return Problem(405, "There is no such page", "This page is only there to be read.")
        return Problem(404, "There is no such page", "Perhaps the address was mistyped.")


def _sorry(status: int, title: str, text: str, link: tuple[str, str] = ("/", "Your server")) -> Response:
    return pages.page("problem.html", status=status, title=title, text=text, link=link)
