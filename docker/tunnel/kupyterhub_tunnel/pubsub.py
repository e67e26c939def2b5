"""Publishes events to Google Cloud Pub/Sub, or to its emulator where PUBSUB_EMULATOR_HOST says so."""

from __future__ import annotations

import asyncio
import json

from google.api_core.exceptions import GoogleAPIError
from google.cloud.pubsub_v1 import PublisherClient

from kupyterhub_tunnel.agent_events import PublishFailed

_TIMEOUT_SECONDS = 20.0


class PubSubPublisher:
    """Publishes to one topic, `projects/<p>/topics/<t>`."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._client = PublisherClient()

    async def publish(self, fields: dict[str, str]) -> None:
        """Return once Pub/Sub has the message; raises PublishFailed. The client has a thread for it."""
        future = self._client.publish(self._topic, json.dumps(fields).encode(), timeout=_TIMEOUT_SECONDS)
        try:
            await asyncio.wrap_future(future)
        except (GoogleAPIError, TimeoutError) as error:
            raise PublishFailed(f"Pub/Sub did not take it ({type(error).__name__})") from error

    async def close(self) -> None:
        """Let the client's threads end."""
        await asyncio.to_thread(self._client.stop)
