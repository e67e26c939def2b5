"""The command line of the local system; `make run` calls it."""

import argparse
import asyncio
import sys

from kupyterhub_local.components import everything
from kupyterhub_local.errors import LocalError
from kupyterhub_local.run import run


def main() -> None:
    """Read the command line, and end with a message where something is wrong."""
    parser = argparse.ArgumentParser(prog="kupyterhub_local", description="The whole system on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("run", help="start everything and stay in the foreground")
    command.add_argument("--email", required=True, help="whose JupyterLab is opened first")
    command.set_defaults(act=lambda asked: run(asked.email))
    command = commands.add_parser("get", help="only download or build what is missing")
    command.set_defaults(act=lambda _: everything.get(_say))
    asked = parser.parse_args()
    try:
        asyncio.run(asked.act(asked))
    except LocalError as error:
        sys.exit(str(error))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
