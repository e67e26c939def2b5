"""Pub/Sub: the messages that the controller sends to itself, and how received ones are wrapped."""

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import pubsub_v1

from kupyterhub.domain.errors import BadMessage, TransientError
from kupyterhub.events import Message
from kupyterhub.reporting.under_way import count

TOPIC = "reconcile-user"
_SECONDS = 20.0


class Bus:
    """`ports.Bus` in Pub/Sub."""

    def __init__(self, publisher: pubsub_v1.PublisherClient, project: str) -> None:
        self._publisher = publisher
        self._topic = publisher.topic_path(project, TOPIC)
        self._agent_events = publisher.topic_path(project, "agent-events")

    def ask_to_reconcile(self, users: Iterable[str], *, thoroughly: bool = False) -> None:
        """Publish one message for each user; a function's CPU may stop when it returns, so wait for the answers."""
        count("pubsub")
        how = {"thoroughly": True} if thoroughly else {}
        try:
            futures = [
                self._publisher.publish(self._topic, json.dumps({"user": user, **how}).encode()) for user in users
            ]
            for future in futures:
                future.result(timeout=_SECONDS)
        except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError, NotInTime) as e:
            raise TransientError(f"Pub/Sub did not take {TOPIC}: {type(e).__name__}") from e

    def agent_events(self) -> str:
        """Name the topic `agent-events` of the same project."""
        return self._agent_events


def decode_message(body: Any) -> Message:
    """Unwrap the body of a `messagePublished` CloudEvent; raises BadMessage."""
    try:
        message: Mapping[str, Any] = body["message"]
        published = datetime.fromisoformat(message["publishTime"])
        if published.tzinfo is None:
            raise ValueError("a time has a zone")  # noqa: TRY301 - told with the rest
        return Message(b64decode(message.get("data") or b"", validate=True), published)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise BadMessage("the event holds no Pub/Sub message") from e
