"""`users add` and `users import`: people who get a notebook."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kupyterhub_cli import enrolling
from kupyterhub_cli.commands import options, showing
from kupyterhub_cli.domain import class_lists, text_files
from kupyterhub_cli.domain.class_lists import ClassList, field_of
from kupyterhub_cli.domain.emails import split
from kupyterhub_cli.domain.wishes import Wish
from kupyterhub_cli.enrolling import Done
from kupyterhub_cli.errors import PARTLY, WrongUsage
from kupyterhub_cli.session import Session
from kupyterhub_rules.names import normalise_email

_WORDS = {"add": "added", "change": "changed", "keep": "there already"}
_STDIN = "-"


def add(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    users: options.Who,
    *,
    profile: Annotated[str | None, typer.Option(help="A profile of the settings.")] = None,
    name: Annotated[str | None, typer.Option(help="Their name, shown and searched.")] = None,
    image: Annotated[str | None, typer.Option(help="An image that the profile allows.")] = None,
    expires: Annotated[str | None, typer.Option(help="Until when: a date, a time, or never.")] = None,
    state: Annotated[str | None, typer.Option(help="running or stopped; also for who is there already.")] = None,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> None:
    """Give people a notebook. Who is there already keeps their state and gets the fields that are given."""
    session = options.session(context, json=json)
    given = list(split(users))
    if wrong := [each for each in given if normalise_email(each) is None]:
        raise WrongUsage(f"No e-mail address: {', '.join(wrong)}. Nobody was added.")
    if not given:
        raise WrongUsage("Name at least one e-mail.")
    if state == "deleted":
        raise WrongUsage("To delete people: kupyterhub users delete")
    fields = _fields(profile=profile, displayName=name, image=image, expiresAt=expires, state=state)
    ends = fields.get("expiresAt")
    if isinstance(ends, datetime) and ends <= session.clock():
        raise WrongUsage(f"--expires {expires} is over, and would end what runs. To end it: kupyterhub users delete")
    emails = dict.fromkeys(email for each in given if (email := normalise_email(each)))
    _enrol(session, [Wish(email, fields) for email in emails], dry_run=dry_run, timeout=timeout if wait else None)


def import_(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file with a column email; - is standard input.")],
    *,
    rejected: Annotated[Path | None, typer.Option(help="Where refused rows go [FILE.rejected.csv].")] = None,
    encoding: Annotated[str | None, typer.Option(help="The file's encoding, where it is guessed wrongly.")] = None,
    overwrite_state: Annotated[
        bool, typer.Option("--overwrite-state", help="Write the column state to who is there already, too.")
    ] = False,
    wait: options.Wait = False,
    timeout: options.Timeout = options.TIMEOUT,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> None:
    """Add everybody in a CSV file. Good rows are taken; the others are written to a file, each with the reason."""
    session = options.session(context, json=json)
    found = _read(session, file, encoding, changes_state=overwrite_state)
    refused = rejected or (Path("rejected.csv") if str(file) == _STDIN else file.with_suffix(".rejected.csv"))
    if found.refused:
        _keep_refused(session, found, refused, dry_run=dry_run)
    try:
        _enrol(session, found.wishes, dry_run=dry_run, timeout=timeout if wait else None)
    finally:
        if found.refused and not dry_run:
            session.screen.say(f"{len(found.refused)} rows were refused: {refused} says why.", "red")
    if found.refused:
        raise typer.Exit(PARTLY)


def _enrol(session: Session, wishes: Sequence[Wish], *, dry_run: bool, timeout: int | None) -> None:
    screen = session.screen
    steps = enrolling.plan(session.users, wishes)
    if dry_run:
        _show(session, [Done(each, None) for each in steps], "would be ")
        return
    with screen.progress("writing", len(steps)) as advance:
        done = enrolling.carry_out(session.users, steps, advance)
    if timeout is None:
        _show(session, done, "")
        return
    ids = {each.step.write.id: each.step.label for each in done if each.step.write}
    there = session.users.by_emails(each.step.label for each in done if not each.step.write)
    ids |= {document.id: document.label for document in there}
    _summary(session, done, "")
    showing.waited(session, ids, options.within(timeout))


def _show(session: Session, done: Sequence[Done], mood: str) -> None:
    if session.screen.json:
        session.screen.data([_object(each) for each in done])
    elif len(done) <= _LISTED:
        for each in done:
            note = f" ({each.step.note})" if each.step.note else ""
            session.screen.line(f"{each.step.label}: {_word(each, mood)}{note}")
    _summary(session, done, mood)


_LISTED = 20


def _summary(session: Session, done: Sequence[Done], mood: str) -> None:
    counted = Counter(_word(each, mood) for each in done)
    said = ", ".join(f"{number} {word}" for word, number in sorted(counted.items())) or "nobody"
    session.screen.say(f"{said}, in {session.place}")


def _word(done: Done, mood: str) -> str:
    if done.result in ("gone", "there already"):
        return done.result
    return _WORDS[done.step.what] if done.step.what == "keep" else f"{mood}{_WORDS[done.step.what]}"


def _object(done: Done) -> dict[str, Any]:
    return {
        "email": done.step.label,
        "id": done.step.write.id if done.step.write else None,
        "done": done.result or done.step.what,
        "step": done.step.what,
        "note": done.step.note or None,
    }


def _fields(**given: str | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, text in given.items():
        if text is not None:
            try:
                fields[name] = field_of(name, text)
            except ValueError as error:
                raise WrongUsage(f"{name}: {error}") from error
    return fields


def _read(session: Session, file: Path, encoding: str | None, *, changes_state: bool) -> ClassList:
    try:
        content = sys.stdin.buffer.read() if str(file) == _STDIN else file.read_bytes()
        text, found = text_files.decode(content, encoding)
    except OSError as error:
        raise WrongUsage(f"{file} cannot be read: {error.strerror}.") from error
    except text_files.Unreadable as error:
        raise WrongUsage(f"{file} cannot be read: {error}. Name its encoding with --encoding.") from error
    if found == "cp1252" and encoding is None:
        session.screen.say(f"{file} is no UTF-8; read as Windows-1252. Are names wrong? Give --encoding.", "yellow")
    try:
        read = class_lists.read(text, changes_state=changes_state)
    except class_lists.NoEmails as error:
        raise WrongUsage(f"{file}: {error}") from error
    if read.ignored:
        session.screen.say(f"Columns that mean nothing here are left out: {', '.join(read.ignored)}", "yellow")
    return read


def _keep_refused(session: Session, found: ClassList, file: Path, *, dry_run: bool) -> None:
    """Write refused rows before anything else is done: a run that is killed leaves them, too."""
    if dry_run:
        for each in found.refused[:_LISTED]:
            session.screen.say(f"line {each.line.number} would be refused: {each.reason}", "yellow")
        return
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        # utf-8-sig: Excel takes a file without the mark for Windows-1252.
        with unfinished.open("w", encoding="utf-8-sig", newline="") as out:
            out.writelines(text_files.write(class_lists.refused_rows(found)))
        unfinished.replace(file)
    except OSError as error:
        raise WrongUsage(f"{file} cannot be written: {error.strerror}. Name another with --rejected.") from error
