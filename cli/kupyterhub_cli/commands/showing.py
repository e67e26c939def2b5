"""One way of showing users, for all commands: a table for people, a list of objects for programs."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import typer

from kupyterhub_cli import waiting
from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.goals import outcome
from kupyterhub_cli.errors import NOT_AS_WANTED
from kupyterhub_cli.session import Session
from kupyterhub_cli.waiting import Judge


def as_object(document: Document) -> dict[str, Any]:
    """What programs get of a user: the document's fields and its id."""
    return {"id": document.id, **document.fields}


def row(document: Document) -> tuple[str, str, str, str]:
    """What people get of a user."""
    state = document.text("state") or "running"
    message = document.said("message")
    if document.said("reason") == "Expired":
        message = f"Expired. {message}"
    return document.label, state, document.said("phase"), document.said("proxyUrl") or message


def users(session: Session, documents: Iterable[Document]) -> None:
    """Show users as they are."""
    listed = list(documents)
    if session.screen.json:
        session.screen.data([as_object(document) for document in listed])
    else:
        session.screen.table(("user", "state", "phase", ""), map(row, listed))


def waited(
    session: Session,
    ids: Mapping[str, str],
    within: timedelta,
    judge: Judge = lambda _, document: outcome(document),
) -> None:
    """Wait for users (id: what they are called) and show them; status 5 if one is not where it should be."""
    found = waiting.wait(session, list(ids), within, judge)
    users(session, [document for _, document in found.values() if document])
    gone = [ids[user] for user, (result, document) in found.items() if document is None and result != "reached"]
    late = [ids[user] for user, (result, document) in found.items() if result == "pending" and document]
    missed = [ids[user] for user, (result, document) in found.items() if result == "missed" and document]
    for who, what in (
        (gone, "is gone"),
        (late, f"is not there after {within.total_seconds():.0f} s; `kupyterhub doctor` looks for the cause"),
        (missed, "did not get there; `kupyterhub users show` says why"),
    ):
        if who:
            session.screen.say(f"{_some(who)}: {what}", "red")
    if any(result != "reached" for result, _ in found.values()):
        raise typer.Exit(NOT_AS_WANTED)


def _some(names: list[str]) -> str:
    few = 5
    return ", ".join(names[:few]) + (f" and {len(names) - few} more" if len(names) > few else "")
