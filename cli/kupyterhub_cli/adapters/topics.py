"""Pub/Sub, as one who publishes."""

import json
from collections.abc import Iterable
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1

from kupyterhub_cli.adapters.google_errors import require_emulator, translated
from kupyterhub_cli.errors import Unavailable
from kupyterhub_cli.place import Place

SECONDS = 30.0


class PubSubTopics:
    """`ports.Topics` in Pub/Sub."""

    def __init__(self, place: Place) -> None:
        self._place = place
        options: dict[str, Any] = {}
        if place.pubsub:
            require_emulator(place.pubsub, "Pub/Sub")
            options["credentials"] = AnonymousCredentials()  # type: ignore[no-untyped-call]
        with translated(place, "publish to Pub/Sub"):
            self._publisher = pubsub_v1.PublisherClient(**options)

    def publish(self, topic: str, messages: Iterable[dict[str, Any]]) -> None:
        """Publish all, then wait for each."""
        path = self._publisher.topic_path(self._place.project, topic)
        try:
            with translated(self._place, f"publish to {topic}"):
                futures = [self._publisher.publish(path, json.dumps(each).encode()) for each in messages]
                for future in futures:
                    future.result(timeout=SECONDS)
        except NotInTime as error:
            raise Unavailable(f"Pub/Sub did not take all messages for {topic} in time. Do the same again.") from error
