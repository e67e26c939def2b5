"""`up` and `down`: the system on this machine, which is what `make run` runs."""

import fcntl
import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kupyterhub_cli import place
from kupyterhub_cli.commands import options
from kupyterhub_cli.errors import Refusal, Unavailable, WrongUsage
from kupyterhub_cli.session import Session
from kupyterhub_rules.names import normalise_email

ENDING = timedelta(seconds=60)


def up(
    context: typer.Context,
    email: Annotated[str, typer.Option(help="Whose notebook is opened first.")] = "you@example.com",
) -> None:
    """Start the whole system on this machine and stay in the foreground, until Ctrl-C or `kupyterhub down`."""
    session = options.session(context)
    checked = normalise_email(email)
    if checked is None:
        raise WrongUsage(f"{email} is no e-mail address.")
    checkout = place.checkout(session.folder)
    if checkout is None:
        raise WrongUsage("This is no checkout of kupyterhub. Go to one: the local system is run from its sources.")
    try:
        # What `make run` does before it runs; the e-mail never goes through a shell.
        made = subprocess.run(  # noqa: S603 - make, in the checkout
            ["make", "--no-print-directory", "-C", str(checkout), ".venv/.local"],  # noqa: S607 - the person's make
            check=False,
        )
    except FileNotFoundError as error:
        raise Refusal("There is no `make`. Install it, with Python 3.11.") from error
    if made.returncode:
        raise Refusal("The local system could not be prepared; the lines above say why.")
    python = str(checkout / ".venv/bin/python")
    os.execv(python, [python, "-m", "kupyterhub_local", "run", "--email", checked])  # noqa: S606 - in its place


def down(context: typer.Context) -> None:
    """End the system that runs in this checkout. Notebooks' files and users stay."""
    session = options.session(context)
    folder = place.state_folder(session.environment, session.folder)
    lock = folder / "lock" if folder else None
    holder = _holder(lock) if lock and lock.is_file() else None
    if lock is None or holder is None:
        session.screen.say("No local system runs here.")
        return
    try:
        os.kill(holder, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has just ended by itself
    except PermissionError as error:
        raise Unavailable(f"Process {holder} runs the local system and is another person's.") from error
    with session.screen.progress("ending", 1):
        _await_end(session, lock, holder)
    session.screen.say(f"The local system of {lock.parent} has ended.")


def _await_end(session: Session, lock: Path, holder: int) -> None:
    deadline = session.clock() + ENDING
    while _holder(lock) == holder:
        if session.clock() >= deadline:
            raise Unavailable(f"Process {holder} does not end. Its logs are in {lock.parent}/logs.")
        session.sleep(0.1)


def _holder(lock: Path) -> int | None:
    """The process that holds the lock: its id is inside, and counts only while the lock is held."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = file.read().strip()
            return int(written) if written.isdigit() and int(written) > 1 else _unknown(lock)
    return None


def _unknown(lock: Path) -> NoReturn:
    raise Refusal(f"The local system is just starting; {lock} does not say yet which process that is. Try again.")
