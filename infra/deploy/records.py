# ruff: noqa: INP001 - a script, of no package
"""Waits for the domain's records, where a release cannot be tried without them; Terraform's outputs are on stdin.

With the proxy on Cloud Run agents, too, come by the domain.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

MINUTES = 30


def addresses(host: str) -> set[str]:
    """Where a name leads; nowhere where it is not known."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, 443, socket.AF_INET)}
    except OSError:
        return set()


def missing(outputs: Mapping[str, Any], lookup: Callable[[str], set[str]]) -> str:
    """The record that agents and people need, as text; empty where it is there."""
    record = outputs["dns_records"]["value"]["wildcard"]
    host = record["name"].rstrip(".").replace("*", "login", 1)
    return "" if record["data"] in lookup(host) else f"{record['name']} {record['type']} {record['data']}"


def wait(outputs: Mapping[str, Any], lookup: Callable[[str], set[str]], sleep: Callable[[float], None]) -> None:
    """Say what is missing, and wait for it; ends the program where it does not come."""
    if not missing(outputs, lookup):
        return
    for record in outputs["dns_records"]["value"].values():
        sys.stdout.write(f"== make this record now: {record['name']} {record['type']} {record['data']}\n")
    sys.stdout.flush()
    for _ in range(MINUTES):
        sleep(float(os.environ.get("PAUSE_SECONDS", "60")))
        if not missing(outputs, lookup):
            return
    sys.exit(
        f"records.py: there is no {missing(outputs, lookup)} after {MINUTES} minutes. Make it, and deploy again."
    )


if __name__ == "__main__":
    wait(json.load(sys.stdin), addresses, time.sleep)
