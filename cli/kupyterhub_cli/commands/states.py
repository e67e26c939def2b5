"""`users stop`, `start`, `restart` and `delete`."""

from typing import Annotated, Any

import typer

from kupyterhub_cli import named
from kupyterhub_cli.commands import options, showing
from kupyterhub_cli.domain import goals
from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.wishes import Write
from kupyterhub_cli.errors import PARTLY, NoSuchUser
from kupyterhub_cli.named import Named
from kupyterhub_cli.session import Session


def stop(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    users: options.Who,
    *,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    json: options.Json = False,
) -> None:
    """Stop notebooks: what runs in them ends, files stay."""
    session = options.session(context, json=json, yes=yes)
    documents = named.require(session.users, users)
    if not dry_run:
        _ask_to_end(session, documents)
    _write(
        session, documents, [stopped(d) for d in documents], "stop", dry_run=dry_run, wait=timeout if wait else None
    )


def start(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    users: options.Who,
    *,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> None:
    """Start notebooks that were stopped or deleted."""
    session = options.session(context, json=json)
    documents = named.require(session.users, users)
    for document in documents:
        if document.status.get("reason") == "Expired":
            session.screen.say(
                f"{document.label} expired on {document.text('expiresAt')}: "
                f"kupyterhub users add {document.label} --expires never",
                "yellow",
            )
    _write(
        session, documents, [started(d) for d in documents], "start", dry_run=dry_run, wait=timeout if wait else None
    )


def restart(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    users: options.Who,
    *,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    json: options.Json = False,
) -> None:
    """Restart running notebooks, with every change that waits for that."""
    session = options.session(context, json=json, yes=yes)
    documents = named.require(session.users, users)
    for document in documents:
        if document.status.get("phase") == "Stopped":
            session.screen.say(f"{document.label} is stopped: kupyterhub users start {document.label}", "yellow")
    if not dry_run:
        _ask_to_end(session, documents)
    writes = [Write(document.id, {"restart": True}) for document in documents]
    _write(session, documents, writes, "restart", dry_run=dry_run, wait=timeout if wait else None)


def delete(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    users: options.Who,
    *,
    purge: Annotated[bool, typer.Option("--purge", help="Remove their files, too, for good.")] = False,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    json: options.Json = False,
) -> None:
    """Delete people's notebooks from the cluster. Files stay, unless --purge."""
    session = options.session(context, json=json, yes=yes)
    found = named.find(session.users, users)
    # What is left of somebody whose document is gone is found by the e-mail.
    missing = [each for each in found if each.document is None and not (purge and each.email)]
    if missing:
        raise NoSuchUser(f"There is no user {', '.join(each.given for each in missing)}. Nothing was done.")
    names = ", ".join(each.given for each in found)
    if dry_run:
        session.screen.say(f"Would delete{' and purge' if purge else ''} {names}, in {session.place}")
        return
    session.screen.ask(
        f"Delete {len(found)} ({names}) in {session.place}? What runs ends" + ("." if purge else "; files stay.")
    )
    if purge:
        word = found[0].given if len(found) == 1 else str(len(found))
        session.screen.ask(f"Their files go for good. To confirm, write {word}:", word)
    session.topics.publish("delete-user", [_message(each, purge=purge) for each in found])
    session.screen.say(f"Asked to delete {len(found)}, in {session.place}")
    if wait:
        there = {each.document.id: each.document for each in found if each.document}
        showing.waited(
            session,
            {user: document.label for user, document in there.items()},
            options.within(timeout),
            lambda user, document: goals.deleted(document, there[user].status.get("deletedAt")),
        )


def started(document: Document) -> Write:
    """The write that starts a user; a purge that was pending is called off, for beside running it is an error."""
    fields: dict[str, Any] = {"state": "running"}
    if document.fields.get("purge") is not None:
        fields["purge"] = None
    return Write(document.id, fields)


def stopped(document: Document) -> Write:
    """The write that stops a user."""
    return Write(document.id, {"state": "stopped"})


def _message(found: Named, *, purge: bool) -> dict[str, Any]:
    who = {"user": found.document.id} if found.document else {"email": found.email}
    return {**who, "purge": True} if purge else who


def _write(  # noqa: PLR0913 - what three commands differ in
    session: Session, documents: list[Document], writes: list[Write], verb: str, *, dry_run: bool, wait: int | None
) -> None:
    if dry_run:
        session.screen.say(f"Would {verb} {_names(documents)}, in {session.place}")
        return
    results = session.users.write(writes)
    gone = [d.label for d, result in zip(documents, results, strict=True) if result == "gone"]
    if gone:
        session.screen.say(f"Gone in the meantime: {', '.join(gone)}", "red")
    session.screen.say(f"Asked to {verb} {len(documents) - len(gone)}, in {session.place}")
    there = {d.id: d.label for d, result in zip(documents, results, strict=True) if result == "written"}
    if wait is not None:
        showing.waited(session, there, options.within(wait))
    elif session.screen.json:
        showing.users(session, session.users.by_ids(there).values())
    if gone:
        raise typer.Exit(PARTLY)


def _ask_to_end(session: Session, documents: list[Document]) -> None:
    notebooks = "this notebook" if len(documents) == 1 else f"these {len(documents)} notebooks"
    session.screen.ask(f"{_names(documents)}: end what runs in {notebooks}, in {session.place}?")


def _names(documents: list[Document]) -> str:
    few = 10
    names = ", ".join(document.label for document in documents[:few])
    return f"{names} and {len(documents) - few} more" if len(documents) > few else names
