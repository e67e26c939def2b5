"""The command line of the local system; `make run` calls it."""

import argparse
import asyncio
import sys

from kupyterhub_local.errors import LocalError
from kupyterhub_local.run import run


def main() -> None:
    """Read the command line, and end with a message where something is wrong."""
    parser = argparse.ArgumentParser(prog="kupyterhub_local", description="The whole system on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("run", help="start everything and stay in the foreground")
    command.add_argument("--email", required=True, help="whose JupyterLab is opened first")
    try:
        asyncio.run(run(parser.parse_args().email))
    except LocalError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
