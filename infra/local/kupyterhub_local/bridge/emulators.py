"""The requests that the bridge makes of the two emulators, over their REST faces."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp

from kupyterhub_local.bridge.routes import WRITTEN

# The bridge acknowledges as soon as it has stored a message.
_ACK_DEADLINE = timedelta(seconds=10)

AWAY: Final = (aiohttp.ClientError, OSError)
"""What a request raises of an emulator that is away, hangs or refuses it. A TimeoutError is an OSError."""


def why_away(error: Exception) -> str:
    """Say it in a log line: a time that is over has no text of its own."""
    return f"{type(error).__name__}: {error}"


class FirestoreEmulator:
    """The emulator's own methods beside Firestore's API. Each raises one of `AWAY`."""

    def __init__(self, session: aiohttp.ClientSession, address: str, project: str) -> None:
        """Speak to the emulator at `address`, host:port."""
        self.address = address
        self._session = session
        self._project = project
        self._url = f"http://{address}/emulator/v1/projects/{project}"

    async def register(self, trigger: str, pattern: str) -> None:
        """Have events of documents like `pattern` posted to `/functions/projects/<p>/triggers/<trigger>`."""
        await self._post(
            f"{self._url}/eventarcTrigger?eventarcTriggerId={trigger}",
            {
                "eventType": WRITTEN,
                "database": "(default)",
                "namespace": "(default)",
                "document": {"value": pattern, "matchType": "PATH_PATTERN"},
            },
        )

    async def export(self, folder: Path, name: str) -> None:
        """Write all documents to a new folder `name` in `folder`. Complete when this returns."""
        await self._post(
            f"{self._url}:export",
            {
                "database": f"projects/{self._project}/databases/(default)",
                "export_directory": str(folder),
                "export_name": name,
            },
        )

    async def _post(self, url: str, body: Mapping[str, Any]) -> None:
        async with self._session.post(url, json=body, raise_for_status=True) as response:
            await response.read()


class PubSubEmulator:
    """Topics, push subscriptions and publishing. Each method raises one of `AWAY`."""

    def __init__(self, session: aiohttp.ClientSession, address: str, project: str) -> None:
        """Speak to the emulator at `address`, host:port."""
        self.address = address
        self._session = session
        self._project = project
        self._url = f"http://{address}/v1/projects/{project}"

    async def create_topic(self, topic: str) -> None:
        """Make the topic unless it exists."""
        await self._put(f"{self._url}/topics/{topic}", {})

    async def push_to(self, topic: str, endpoint: str) -> None:
        """Have each message of the topic posted to `endpoint`, which replaces an earlier one."""
        subscription = f"{self._url}/subscriptions/eventarc-local-{topic}"
        push = {"pushEndpoint": endpoint}
        created = await self._put(
            subscription,
            {
                "topic": f"projects/{self._project}/topics/{topic}",
                "pushConfig": push,
                "ackDeadlineSeconds": int(_ACK_DEADLINE.total_seconds()),
            },
        )
        if not created:
            url = f"{subscription}:modifyPushConfig"
            async with self._session.post(url, json={"pushConfig": push}, raise_for_status=True) as response:
                await response.read()

    async def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Publish `message` as JSON."""
        data = base64.b64encode(json.dumps(message).encode()).decode()
        url = f"{self._url}/topics/{topic}:publish"
        async with self._session.post(url, json={"messages": [{"data": data}]}, raise_for_status=True) as response:
            await response.read()

    async def _put(self, url: str, body: Mapping[str, Any]) -> bool:
        async with self._session.put(url, json=body) as response:
            if response.status == HTTPStatus.CONFLICT:
                return False
            response.raise_for_status()
            return True
