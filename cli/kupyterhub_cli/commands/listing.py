"""`users list`, `show`, `url` and `open`: what is there."""

import contextlib
import webbrowser
from typing import Annotated

import typer

from kupyterhub_cli import named, waiting
from kupyterhub_cli.commands import options, showing
from kupyterhub_cli.domain import search
from kupyterhub_cli.domain.documents import PHASES, Document, as_text
from kupyterhub_cli.domain.lately import lately
from kupyterhub_cli.errors import NOT_AS_WANTED, NoSuchUser, NotRunning, WrongUsage
from kupyterhub_cli.session import Session

PAGE = 300
CHANGES = 10
# So many documents are read at most to fill a page of a search.
SEARCHED = 3000


def list_(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    part: Annotated[str | None, typer.Argument(help="At least three characters of e-mail or name.")] = None,
    *,
    phase: Annotated[str | None, typer.Option(help=f"One of {', '.join(PHASES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Users on a page.")] = 100,
    after: Annotated[str | None, typer.Option(metavar="ID", help="The page after this id.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every page; reads each user's document.")] = False,
    json: options.Json = False,
) -> None:
    """List users, a page at a time."""
    session = options.session(context, json=json)
    if phase is not None and phase not in PHASES:
        raise WrongUsage(f"There is no phase {phase}. Phases: {', '.join(PHASES)}.")
    if part is not None and len(part) < search.SHORTEST:
        raise WrongUsage(f"Give at least {search.SHORTEST} characters to search for.")
    found, following = _page(session, part, phase, after, None if everybody else limit)
    showing.users(session, sorted(found, key=lambda document: document.label))
    if following:
        session.screen.say(f"There are more: --after {following}, or --all")


def show(context: typer.Context, users: options.Who, *, json: options.Json = False) -> None:
    """Show all of a user's document, and what happened lately."""
    session = options.session(context, json=json)
    documents = named.require(session.users, users)
    histories = {d.id: lately(d, session.users.history(d.id, CHANGES), CHANGES) for d in documents}
    if json:
        session.screen.data([{**showing.as_object(d), "history": histories[d.id]} for d in documents])
        return
    for document in documents:
        session.screen.line(f"{document.label} ({document.id})")
        fields = {name: value for name, value in document.fields.items() if name not in ("status", "email")}
        status = {name: value for name, value in document.status.items() if name not in ("terms", "email", "changes")}
        rows = [(name, as_text(value)) for name, value in (*sorted(fields.items()), *status.items())]
        session.screen.table(("field", "value"), rows)
        if document.status and not document.is_acted_on:
            session.screen.say("A change of these fields has not been acted on yet.", "yellow")
        happened = [
            tuple(as_text(entry.get(name)) for name in ("at", "phase", "reason", "message"))
            for entry in histories[document.id]
        ]
        if happened:
            session.screen.table(("when", "phase", "reason", "message"), happened)


def url(
    context: typer.Context,
    users: options.Who,
    *,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    json: options.Json = False,
) -> None:
    """Print where people's notebooks are, one a line; with several people, the e-mail and a tab before it."""
    session = options.session(context, json=json)
    documents = named.require(session.users, users)
    if wait:
        documents = [_when_ready(session, document, timeout) for document in documents]
    if json:
        session.screen.data(
            [
                {"email": d.label, "url": d.said("proxyUrl") or None, "phase": d.said("phase") or None}
                for d in documents
            ]
        )
    for document in documents:
        address = document.said("proxyUrl")
        if not address:
            _say_why_not(session, document)
        elif not json:
            session.screen.line(address if len(documents) == 1 else f"{document.label}\t{address}")
    if not all(document.said("proxyUrl") for document in documents):
        raise typer.Exit(NOT_AS_WANTED)


def open_(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="E-mail or id.")],
    *,
    start: Annotated[bool, typer.Option("--start", help="Start the notebook if it is stopped.")] = False,
    timeout: options.Timeout = options.TIMEOUT,
) -> None:
    """Open a person's notebook in the browser, when it is ready."""
    session = options.session(context)
    (document,) = named.require(session.users, [user])
    if (state := document.text("state") or "running") != "running":
        if not start:
            raise NotRunning(f"The notebook of {document.label} is {state}. Start it: kupyterhub open {user} --start")
        from kupyterhub_cli.commands.states import started  # noqa: PLC0415 - a cycle otherwise

        session.users.write([started(document)])
    address = _when_ready(session, document, timeout).said("proxyUrl")
    if not address:
        raise NotRunning(f"The notebook of {document.label} is not ready; `kupyterhub users show {user}` says why.")
    session.screen.line(address)
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(address)


def _page(
    session: Session, part: str | None, phase: str | None, after: str | None, limit: int | None
) -> tuple[list[Document], str | None]:
    found: list[Document] = []
    read = 0
    while True:
        # Where nothing is left out of it, a page is what was asked for; a search reads more to fill one.
        size = PAGE if limit is None or part else min(PAGE, limit - len(found))
        page = session.users.page(
            phase=phase, trigram=search.trigram(part) if part else None, after=after, limit=size
        )
        for document in page.documents:
            after = document.id
            if part is None or search.matches(document, part):
                found.append(document)
            if limit is not None and len(found) == limit:
                return found, after if page.next or document is not page.documents[-1] else None
        read += len(page.documents)
        if not page.next:
            return found, None
        if limit is not None and read >= SEARCHED:
            return found, after


def _when_ready(session: Session, document: Document, timeout: int) -> Document:

    _, read = waiting.wait(session, [document.id], options.within(timeout))[document.id]
    if read is None:
        raise NoSuchUser(f"The document of {document.label} is gone.")
    return read


def _say_why_not(session: Session, document: Document) -> None:
    phase = document.said("phase") or "new"
    session.screen.say(f"{document.label}: no URL, {phase}. {document.said('message')}".strip(), "yellow")
