"""The system on this machine: its emulators, and its cluster."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kupyterhub_cli.doctor.finding import Finding
from kupyterhub_cli.place import Place
from kupyterhub_cli.ports import Web


def listening(place: Place, web: Web) -> Iterator[Finding]:
    """Whether somebody listens where `.kupyterhub/env` says."""
    for what, address in (
        ("Firestore's emulator", place.firestore),
        ("Pub/Sub's emulator", place.pubsub),
        ("API server", _api_server(place)),
    ):
        if address:
            up = web.listens(address)
            advice = "" if up else "Start the local system: kupyterhub up. Its logs: .kupyterhub/logs/"
            yield Finding(what, "good" if up else "bad", address if up else f"{address} does not answer", advice)


def _api_server(place: Place) -> str | None:
    import yaml  # noqa: PLC0415 - only where it is needed

    if not place.kubeconfig:
        return None
    try:
        with Path(place.kubeconfig).open(encoding="utf-8") as file:
            return urlsplit(str(yaml.safe_load(file)["clusters"][0]["cluster"]["server"])).netloc
    except (OSError, KeyError, IndexError, TypeError, yaml.YAMLError):
        return None
