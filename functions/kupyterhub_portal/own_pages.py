"""The pages of a person's own server. What they do is done to the server of who asks, whatever a form says."""

from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from kupyterhub_portal import pages
from kupyterhub_portal.app import Frame, Routes
from kupyterhub_portal.domain.reasons import STEPS
from kupyterhub_portal.everybody import Everybody
from kupyterhub_portal.own import OwnServers
from kupyterhub_portal.visitor import Visitor
from kupyterhub_rules.names import base_name


class OwnPages:
    """`/`, its fragment `/state`, and what its buttons do."""

    def __init__(self, frame: Frame, servers: OwnServers, everybody: Everybody) -> None:
        self._frame = frame
        self._servers = servers
        self._everybody = everybody

    def routes(self) -> Routes:
        """Method and path of each."""
        return {
            ("GET", "/"): self._home,
            ("GET", "/state"): self._state,
            ("POST", "/enrol"): self._enrol,
            ("POST", "/start"): self._start,
            ("POST", "/stop"): self._stop,
            ("POST", "/restart"): self._restart,
            ("POST", "/choose"): self._choose,
        }

    def _home(self, request: Request, visitor: Visitor) -> Response:
        # Whoever opened a notebook's URL in vain is led here, with the first part of its host.
        wanted = request.args.get("start", "")
        others = bool(wanted) and wanted != base_name(visitor.email)
        if others and self._frame.is_admin(visitor) and (person := self._everybody.named(wanted)):
            return pages.redirect(f"/person?{urlencode({'id': person.id})}")
        return self._shown("home.html", visitor, others=others)

    def _state(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002 - every handler is told
        return self._shown("state.html", visitor)

    def _shown(self, template: str, visitor: Visitor, **values: bool) -> Response:
        server = self._servers.see(visitor.email)
        may_enrol = server is None and self._servers.may_enrol(visitor.email)
        return self._frame.page(template, visitor, server=server, may_enrol=may_enrol, steps=STEPS, **values)

    def _enrol(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002
        self._servers.enrol(visitor.email)
        return pages.redirect("/")

    def _start(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002
        self._servers.start(visitor.email)
        return pages.redirect("/")

    def _stop(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002
        self._servers.stop(visitor.email)
        return pages.redirect("/")

    def _restart(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002
        self._servers.restart(visitor.email)
        return pages.redirect("/")

    def _choose(self, request: Request, visitor: Visitor) -> Response:
        self._servers.choose(visitor.email, request.form.get("choice", ""))
        return pages.redirect("/")
