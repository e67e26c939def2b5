"""Options that several commands have, with one wording."""

from datetime import timedelta
from typing import Annotated

import typer

from kupyterhub_cli.errors import WrongUsage
from kupyterhub_cli.session import Session

Who = Annotated[list[str], typer.Argument(metavar="USER...", help="E-mails or ids; several in one word as a@x,b@y.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer questions with yes.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is so.")]
Timeout = Annotated[int, typer.Option(min=1, help="Seconds that --wait waits at most.")]
Namespace = Annotated[str, typer.Option(help="The cluster's namespace.")]

TIMEOUT = 600


def session(context: typer.Context, *, json: bool = False, yes: bool = False) -> Session:
    """The run's session, told how this command is to speak."""
    found = context.find_object(Session)
    if found is None:
        raise WrongUsage("There is no session.")
    found.screen.json, found.screen.yes = json, yes
    return found


def within(timeout: int) -> timedelta:
    """`--timeout` as a duration."""
    return timedelta(seconds=timeout)
