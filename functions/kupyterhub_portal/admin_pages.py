"""The pages of administrators: everybody, one person, adding, and acting on several at once."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import cast, get_args
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from kupyterhub.domain.settings import Settings
from kupyterhub_portal import pages
from kupyterhub_portal.app import Frame, Routes
from kupyterhub_portal.domain.choices import all_choices, current
from kupyterhub_portal.domain.ids import is_id
from kupyterhub_portal.domain.place import Place
from kupyterhub_portal.everybody import Action, Everybody
from kupyterhub_portal.listing import PAGE, Listing, Sought
from kupyterhub_portal.problem import EVERYBODY, Problem
from kupyterhub_portal.store import PHASES
from kupyterhub_portal.visitor import Visitor

_DONE = {"start": "started", "stop": "stopped", "restart": "restarted", "delete": "deleted"}
_MAX_PART = 200


class AdminPages:
    """`/people` and what is beneath."""

    def __init__(self, frame: Frame, listing: Listing, everybody: Everybody, settings: Settings) -> None:
        self._frame = frame
        self._listing = listing
        self._everybody = everybody
        self._settings = settings

    def routes(self) -> Routes:
        """Method and path of each."""
        return {
            ("GET", "/people"): self._list,
            ("GET", "/people/counts"): self._counts,
            ("POST", "/people/act"): self._act,
            ("GET", "/people/add"): self._adding,
            ("POST", "/people/add"): self._add,
            ("GET", "/person"): self._person,
            ("POST", "/person/choose"): self._choose,
        }

    def _list(self, request: Request, visitor: Visitor) -> Response:
        sought = _sought(request.args)
        self._listing.require_seekable(sought)
        return self._frame.begun(
            "people.html",
            visitor,
            sought=sought,
            phases=PHASES,
            done=_done(request.args),
            read=lambda: self._listing.page(sought),
            following=lambda after: _list_url(replace(sought, after=after)),
        )

    def _counts(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002 - every handler is told
        return self._frame.page("counts.html", visitor, counts=self._listing.counts())

    def _act(self, request: Request, visitor: Visitor) -> Response:
        action = request.form.get("action", "")
        if action not in get_args(Action):
            raise Problem(400, "Nothing was chosen to do", "Use one of the buttons.", EVERYBODY)
        users = _ids(request.form.getlist("user"))
        sought = _sought(request.form)
        if not users:
            raise Problem(400, "Nobody was chosen", "Tick who is meant, then try again.", (_list_url(sought), "Back"))
        # From a person's own page one comes back to it, and otherwise to the same part of the list.
        back = request.form.get("back", "")
        if action == "delete" and "sure" not in request.form:
            people = self._everybody.people(users)
            leave = _person_url(back) if back else _list_url(sought)
            return self._frame.page("delete.html", visitor, people=people, sought=sought, back=back, leave=leave)
        done = self._everybody.act(cast("Action", action), users, purge="purge" in request.form)
        said = {"done": action} | {name: str(count) for name, count in asdict(done).items()}
        return pages.redirect(_person_url(back, **said) if back else _list_url(sought, **said))

    def _adding(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002
        return self._frame.page("add.html", visitor, profiles=list(self._settings.profiles), added=None)

    def _add(self, request: Request, visitor: Visitor) -> Response:
        added = self._everybody.add(request.form.get("people", ""), request.form.get("profile", ""))
        return self._frame.page("add.html", visitor, profiles=list(self._settings.profiles), added=added)

    def _person(self, request: Request, visitor: Visitor) -> Response:
        document, history = self._everybody.person(_id(request.args.get("id", "")))
        return self._frame.page(
            "person.html",
            visitor,
            person=document,
            history=history,
            choices=all_choices(self._settings),
            chosen=current(document),
            done=_done(request.args),
            is_over=self._everybody.is_over(document),
        )

    def _choose(self, request: Request, visitor: Visitor) -> Response:  # noqa: ARG002
        user = _id(request.form.get("user", ""))
        self._everybody.choose(user, request.form.get("choice", ""))
        return pages.redirect(_person_url(user, done="choose"))


def _sought(values: Mapping[str, str]) -> Sought:
    part = values.get("part", "").strip()[:_MAX_PART]
    return Sought(part, values.get("phase", ""), Place.read(values.get("after", "")))


def _list_url(sought: Sought, **more: str) -> str:
    given = {"part": sought.part, "phase": sought.phase, "after": sought.after}
    query = {name: str(value) for name, value in given.items() if value} | more
    return f"/people?{urlencode(query)}" if query else "/people"


def _person_url(user: str, **more: str) -> str:
    return f"/person?{urlencode({'id': user, **more})}"


def _done(values: Mapping[str, str]) -> str:
    """What was done, for people; all of its words are ours, since anybody can write a link."""
    what = values.get("done", "")
    if what == "choose":
        return "Saved. It counts from the next start."
    if what not in _DONE:
        return ""
    people, gone, over = (_count(values.get(name, "")) for name in ("people", "gone", "over"))
    who = f"{people} people are" if people > 1 else "1 person is" if people else "Nobody is"
    said = [
        f"{who} being {_DONE[what]}.",
        f"{gone} {'was' if gone == 1 else 'were'} gone already." if gone else "",
        f"The time of {over} is over: their own page says what brings them back." if over else "",
    ]
    return " ".join(filter(None, said))


def _count(text: str) -> int:
    return min(int(text), PAGE) if re.fullmatch("[0-9]{1,9}", text) else 0


def _ids(texts: list[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if is_id(text)][:PAGE]


def _id(text: str) -> str:
    if not is_id(text):
        raise Problem(404, "There is no such person", "Perhaps the address was mistyped.", EVERYBODY)
    return text
