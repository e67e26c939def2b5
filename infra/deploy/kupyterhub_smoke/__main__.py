"""python -m kupyterhub_smoke [--bucket BUCKET] [--portal URL] EMAIL EMAIL.

The project is $GOOGLE_CLOUD_PROJECT, the cluster that of $KUBECONFIG. The e-mails have to be nobody's: a document
that is not one of this program's own is left alone.
"""

import argparse
import os
import sys

from . import portal
from .kubectl import KubectlNotebooks
from .people import People
from .ports import SmokeError
from .trying import Try


def main() -> None:
    """Try it; raises SmokeError."""
    parser = argparse.ArgumentParser(prog="kupyterhub_smoke", description=__doc__)
    parser.add_argument("--bucket", help="the bucket of notebooks, which each is to read their own folder of")
    parser.add_argument("--portal", help="where the portal is, which is to ask who one is")
    parser.add_argument("emails", nargs=2, metavar="EMAIL", help="that the settings allow, and that is nobody's")
    arguments = parser.parse_args()
    people = People(os.environ["GOOGLE_CLOUD_PROJECT"])

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    if arguments.portal:
        portal.look(arguments.portal, say)
    Try(people, KubectlNotebooks(), say, arguments.bucket).run(arguments.emails)


if __name__ == "__main__":
    try:
        main()
    except SmokeError as error:
        sys.exit(f"smoke test: {error}")
