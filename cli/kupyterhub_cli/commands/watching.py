"""`watch` and `logs`: what goes on."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from kupyterhub_cli import named
from kupyterhub_cli.commands import options, showing
from kupyterhub_cli.domain.documents import PHASES, Document
from kupyterhub_cli.errors import NoSuchUser
from kupyterhub_cli.session import Session
from kupyterhub_rules.names import base_name

SECONDS = 1.0
PAGE = 300


def watch(
    context: typer.Context,
    users: Annotated[list[str] | None, typer.Argument(metavar="USER...", help="Only these, by e-mail or id.")] = None,
    *,
    seconds: Annotated[int | None, typer.Option("--for", min=1, help="End after so many seconds.")] = None,
    json: options.Json = False,
) -> None:
    """Say what changes, as it changes, until Ctrl-C. It costs one read a second, and one for each change."""
    session = options.session(context, json=json)
    only = {document.id for document in named.require(session.users, users)} if users else None
    if not json:
        counts = ((phase, session.users.count(phase)) for phase in PHASES)
        session.screen.say(", ".join(f"{number} {phase}" for phase, number in counts if number) or "Nobody is there.")
    begun = session.clock()
    since, seen = begun, dict[str, datetime]()
    while seconds is None or session.clock() < begun + timedelta(seconds=seconds):
        changed = session.users.changed_since(since, PAGE)
        for document in changed:
            at = document.status.get("updatedAt")
            if not isinstance(at, datetime) or seen.get(document.id) == at:
                continue
            since, seen[document.id] = at, at
            if only is None or document.id in only:
                _say(session, document)
        if len(changed) < PAGE:
            session.sleep(SECONDS)


def logs(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="E-mail or id.")],
    *,
    agent: Annotated[bool, typer.Option("--agent", help="Of the agent, which connects the notebook.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as the log does.")] = False,
    previous: Annotated[bool, typer.Option("--previous", "-p", help="Of the container before a crash.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="So many of the last lines.")] = 100,
    namespace: options.Namespace = "kupyterhub",
) -> None:
    """Print the log of a person's notebook."""
    session = options.session(context)
    (document,) = named.require(session.users, [user])
    name = document.said("name") or (base_name(document.email) if document.email else "")
    if not name:
        raise NoSuchUser(f"{document.label} has no e-mail that one could run a notebook for.")
    component = "agent" if agent else "jupyterlab"
    for line in session.logs(namespace).read(component, name, lines=lines, follow=follow, previous=previous):
        session.screen.line(line)


def _say(session: Session, document: Document) -> None:
    if session.screen.json:
        session.screen.data(showing.as_object(document))
    else:
        _, state, phase, more = showing.row(document)
        session.screen.line(f"{session.clock():%H:%M:%S} {document.label}: {phase or state} {more}".rstrip())
