"""`python -m kupyterhub_local.bridge`: options and environment, then `service`."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kupyterhub_local.bridge.service import Options, serve


def options(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read the options. Exits with a message for the person who called it if something is missing."""
    parser = argparse.ArgumentParser(prog="kupyterhub_local.bridge", description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="where the emulators reach the bridge")
    parser.add_argument("--functions", required=True, metavar="URL", help="where the functions are served")
    parser.add_argument("--queue", required=True, type=Path, metavar="FILE", help="where undelivered events are kept")
    parser.add_argument("--snapshots", required=True, type=Path, metavar="FOLDER", help="where Firestore is saved")
    given = parser.parse_args(arguments)
    names = ("GOOGLE_CLOUD_PROJECT", "FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")
    if missing := [name for name in names if not environment.get(name)]:
        parser.error(f"not set in the environment: {', '.join(missing)}")
    project, firestore, pubsub = (environment[name] for name in names)
    return Options(
        project=project,
        listen=given.listen,
        functions=given.functions.rstrip("/"),
        firestore=firestore,
        pubsub=pubsub,
        queue=given.queue,
        snapshots=given.snapshots,
    )


def main() -> None:
    """Run the bridge in the foreground; it logs to stderr."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(options(sys.argv[1:], os.environ)))


if __name__ == "__main__":
    main()
