"""Takes events in: answers 2xx only when they are stored, for neither emulator keeps a Firestore event."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from kupyterhub_local.bridge.event import Event, MalformedEventError
from kupyterhub_local.bridge.event_queue import EventQueue
from kupyterhub_local.bridge.firestore_event import firestore_event
from kupyterhub_local.bridge.pubsub_event import pubsub_event
from kupyterhub_local.bridge.routes import ANY_DOCUMENT, TOPICS, TRIGGERS

# Twice a document of 1 MiB in base64, or a message of 10 MB in base64, and some room.
_LARGEST_BODY = 16 * 2**20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inbox:
    """What the server needs of the rest of the bridge."""

    project: str
    queue: EventQueue
    added: Callable[[], None]
    changed: Callable[[], None]
    registered: Callable[[], bool]

    def keep(self, event: Event) -> None:
        """Store an event and say so."""
        self.queue.add(event, time.time())
        self.added()


def make_app(inbox: Inbox) -> web.Application:
    """Give the server's application."""

    async def on_document(request: web.Request) -> web.Response:
        if (project := request.match_info["project"]) != inbox.project:
            raise web.HTTPNotFound(text=f"no triggers of project {project!r}")
        inbox.changed()
        trigger = request.match_info["trigger"]
        if trigger == ANY_DOCUMENT:
            return web.Response(status=204)
        if trigger not in TRIGGERS:
            raise web.HTTPNotFound(text=f"no trigger {trigger!r}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _take(inbox, lambda body: firestore_event(trigger, inbox.project, headers, body), await request.read())

    async def on_message(request: web.Request) -> web.Response:
        topic = request.match_info["topic"]
        function = TOPICS.get(topic)
        if function is None:
            raise web.HTTPNotFound(text=f"no topic {topic!r}")
        return _take(inbox, lambda body: pubsub_event(function, inbox.project, topic, body), await request.read())

    async def on_health(_: web.Request) -> web.Response:
        if inbox.registered():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="waiting for the emulators\n")

    app = web.Application(client_max_size=_LARGEST_BODY)
    app.router.add_post("/functions/projects/{project}/triggers/{trigger}", on_document)
    app.router.add_post("/topics/{topic}", on_message)
    app.router.add_get("/healthz", on_health)
    return app


def _take(inbox: Inbox, make: Callable[[bytes], Event], body: bytes) -> web.Response:
    try:
        event = make(body)
    except MalformedEventError as e:
        log.warning("an event was refused: %s", e)
        return web.Response(status=400, text=f"{e}\n")
    inbox.keep(event)
    return web.Response(status=204)
