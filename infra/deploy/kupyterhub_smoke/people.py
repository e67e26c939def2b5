"""`ports.Users` with Google's own clients, as any other program would do it; emulators by their usual variables."""

import json
from typing import Any

from google.cloud import firestore, pubsub_v1

SECONDS = 30.0


class People:
    """The collection `users` and the topic `delete-user` of a project."""

    def __init__(self, project: str) -> None:
        self._users = firestore.Client(project).collection("users")
        self._publisher = pubsub_v1.PublisherClient()
        self._topic = self._publisher.topic_path(project, "delete-user")

    def get(self, user: str) -> dict[str, Any] | None:
        """Read a document."""
        fields: dict[str, Any] | None = self._users.document(user).get(timeout=SECONDS).to_dict()
        return fields

    def add(self, user: str, fields: dict[str, Any]) -> None:
        """Make a document."""
        self._users.document(user).create(fields, timeout=SECONDS)

    def remove(self, user: str) -> None:
        """Remove a document."""
        self._users.document(user).delete(timeout=SECONDS)

    def purge(self, user: str) -> None:
        """Publish, and wait until it is taken."""
        self._publisher.publish(self._topic, json.dumps({"user": user, "purge": True}).encode()).result(SECONDS)
