# ruff: noqa: INP001 - a script, of no package
"""Waits for the domain's records and certificate, without which a release cannot be tried.

With the proxy on Cloud Run agents, too, come by the domain. Terraform's outputs are on standard input.
"""

import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

MINUTES = 60
SECONDS = 10


def addresses(host: str) -> set[str]:
    """Where a name leads; nowhere where it is not known."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, 443, socket.AF_INET)}
    except OSError:
        return set()


def speaks(host: str) -> bool:
    """Whether a server answers there whose certificate is right; it comes some minutes after its record."""
    try:
        with socket.create_connection((host, 443), timeout=SECONDS) as connection:
            ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except OSError:
        return False
    return True


def missing(outputs: Mapping[str, Any], lookup: Callable[[str], set[str]], answers: Callable[[str], bool]) -> str:
    """What agents and people need and is not there yet, as text; empty where it is."""
    record = outputs["dns_records"]["value"]["wildcard"]
    host = record["name"].rstrip(".").replace("*", "login", 1)
    if record["data"] not in lookup(host):
        return f"{record['name']} {record['type']} {record['data']}"
    return "" if answers(host) else f"a certificate of {host}"


def wait(
    outputs: Mapping[str, Any],
    sleep: Callable[[float], None],
    lookup: Callable[[str], set[str]] = addresses,
    answers: Callable[[str], bool] = speaks,
) -> None:
    """Say what is missing, and wait for it; ends the program where it does not come."""
    if not missing(outputs, lookup, answers):
        return
    for record in outputs["dns_records"]["value"].values():
        sys.stdout.write(f"== this record has to be there: {record['name']} {record['type']} {record['data']}\n")
    sys.stdout.flush()
    for _ in range(MINUTES):
        sleep(float(os.environ.get("PAUSE_SECONDS", "60")))
        if not (what := missing(outputs, lookup, answers)):
            return
    sys.exit(f"records.py: {what} is not there after {MINUTES} minutes. Make all records, and deploy again.")


if __name__ == "__main__":
    wait(json.load(sys.stdin), time.sleep)
