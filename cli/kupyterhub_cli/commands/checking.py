"""`doctor`: what keeps people from their notebooks, and what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import typer
from rich.text import Text

from kupyterhub_cli.commands import options
from kupyterhub_cli.doctor import documents, local, proxy
from kupyterhub_cli.doctor.cloud import Cloud
from kupyterhub_cli.doctor.finding import Check, Finding, looked
from kupyterhub_cli.errors import NOT_AS_WANTED
from kupyterhub_cli.session import Session

_MARKS = {"good": ("ok", "green"), "bad": ("NOT OK", "red"), "unknown": ("?", "yellow")}


def doctor(context: typer.Context, *, json: options.Json = False) -> None:
    """Look at every part, and say what to do where one is not well."""
    session = options.session(context, json=json)
    session.screen.say(f"Looking at {session.place}")
    found: list[Finding] = []
    for finding in _findings(session):
        found.append(finding)
        if not json:
            _say(session, finding)
    if json:
        session.screen.data([asdict(finding) for finding in found])
    if any(finding.verdict == "bad" for finding in found):
        raise typer.Exit(NOT_AS_WANTED)


def _findings(session: Session) -> Iterator[Finding]:
    for what, check in _checks(session):
        yield from looked(what, check)


def _checks(session: Session) -> Iterable[tuple[str, Check]]:
    if session.place.is_google:
        yield from _of_cloud(session)
    else:
        yield "emulators", lambda: local.listening(session.place, session.web)
    yield "documents", lambda: documents.access(session.users)
    yield "function user-written", lambda: documents.looked_at(session.users, session.sleep)
    yield "functions", lambda: documents.due(session.users, session.clock())
    yield "settings", lambda: documents.settings(session.users)
    yield "users", lambda: documents.trouble(session.users)
    yield "proxy", lambda: proxy.answers(session.place, session.users, session.web)


def _of_cloud(session: Session) -> Iterable[tuple[str, Check]]:
    # Made within each check: without credentials every one of them says so.
    def cloud() -> Cloud:
        return Cloud(session.google, session.place.project, session.clock)

    yield "your access", lambda: cloud().access()
    yield "APIs", lambda: cloud().apis()
    yield "topics", lambda: cloud().topics()
    yield "functions and Cloud Scheduler", lambda: cloud().functions()
    yield "queues and dead letters", lambda: cloud().queues()
    yield "indexes", lambda: cloud().indexes()
    yield "cluster", lambda: cloud().clusters()


def _say(session: Session, finding: Finding) -> None:
    mark, style = _MARKS[finding.verdict]
    session.screen.out.print(Text.assemble((f"{mark:7}", style), f"{finding.what}: ", finding.detail), soft_wrap=True)
    if finding.advice:
        session.screen.line(f"        → {finding.advice}")
