"""The entry point `kupyterhub`."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from kupyterhub_cli.app import app
from kupyterhub_cli.errors import Refusal
from kupyterhub_cli.screen import shown
from kupyterhub_cli.session import Session


def main(arguments: Sequence[str] | None = None, session: Session | None = None) -> None:
    """Run one command; ends with its exit status, and never with a traceback for what a person can mend."""
    try:
        app(arguments, prog_name="kupyterhub", obj=session)
    except Refusal as refusal:
        Console(stderr=True, highlight=False).print(Text(shown(str(refusal)), "red"), soft_wrap=True)
        sys.exit(refusal.status)


if __name__ == "__main__":
    main()
