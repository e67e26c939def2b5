"""`users export`: everybody, in a form that `users import` reads."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kupyterhub_cli.commands import options, showing
from kupyterhub_cli.domain import text_files
from kupyterhub_cli.domain.documents import Document, as_json
from kupyterhub_cli.errors import WrongUsage
from kupyterhub_cli.session import Session
from kupyterhub_rules.stored import rfc3339

PAGE = 300
COLUMNS = ("email", "displayName", "profile", "state", "image", "expiresAt", "phase", "url", "id")


def export(
    context: typer.Context,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; otherwise standard output.")] = None,
    phase: Annotated[str | None, typer.Option(help="Only those in this phase.")] = None,
    json: options.Json = False,
) -> None:
    """Write all users as CSV, which `users import` reads again. Cells that look like formulas are made inert."""
    session = options.session(context, json=json)
    documents = _every(session, phase)
    if json:
        lines: Iterator[str] = (as_json(showing.as_object(document)) + "\n" for document in documents)
    else:
        lines = text_files.write(_rows(documents))
    if output is None:
        for line in lines:
            session.screen.out.file.write(line)
        return
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        # utf-8-sig: Excel takes a file without the mark for Windows-1252.
        with unfinished.open("w", encoding="utf-8" if json else "utf-8-sig", newline="") as file:
            file.writelines(lines)
        unfinished.replace(output)
    except OSError as error:
        raise WrongUsage(f"{output} cannot be written: {error.strerror}.") from error


def _every(session: Session, phase: str | None) -> Iterator[Document]:
    after: str | None = None
    while True:
        page = session.users.page(phase=phase, trigram=None, after=after, limit=PAGE)
        yield from page.documents
        if not page.next:
            return
        after = page.next


def _rows(documents: Iterator[Document]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for document in documents:
        expires = document.fields.get("expiresAt")
        yield (
            *(document.text(name) for name in COLUMNS[:5]),
            rfc3339(expires) if isinstance(expires, datetime) else document.text("expiresAt"),
            document.said("phase"),
            document.said("proxyUrl"),
            document.id,
        )
