"""The entry points: decode the event, reconcile, report the outcome. What is raised is delivered again."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from kupyterhub import bootstrap, events
from kupyterhub.adapters.bus import decode_message
from kupyterhub.adapters.user_store import decode_write
from kupyterhub.reconcile import Outcome


@functions_framework.cloud_event
def on_user_written(event: CloudEvent) -> None:
    """A users document was created, changed or deleted."""
    _handle("user-written", event, lambda data, by: _look(events.look_of_write(decode_write(data)), by))


@functions_framework.cloud_event
def on_delete_user(event: CloudEvent) -> None:
    """Somebody published `delete-user`."""
    _handle(
        "delete-user",
        event,
        lambda data, by: bootstrap.removal().delete(replace(events.deletion_of(decode_message(data)), event=by)),
    )


@functions_framework.cloud_event
def on_agent_event(event: CloudEvent) -> None:
    """The proxy published what it saw of a user's agent."""
    _handle("agent-event", event, lambda data, by: _look(events.look_of_agent_event(decode_message(data)), by))


@functions_framework.cloud_event
def on_reconcile_user(event: CloudEvent) -> None:
    """The controller asked itself to look at a user."""
    _handle("reconcile-user", event, lambda data, by: [bootstrap.resync().answer(_asked(decode_message(data), by))])


@functions_framework.cloud_event
def on_resync(event: CloudEvent) -> None:
    """Cloud Scheduler's minute or hour has come."""
    _handle("resync", event, lambda data, _: bootstrap.resync().run(events.resync_mode(decode_message(data))))


def _look(look: events.Look | None, by: str) -> list[Outcome]:
    return [bootstrap.reconciler().reconcile(replace(look, event=by))] if look else []


def _asked(message: events.Message, by: str) -> events.Look:
    return replace(events.look_of_reconcile_user(message), event=by)


def _handle(function: str, event: CloudEvent, act: Callable[[Any, str], Iterable[Outcome]]) -> None:
    by = f"{function} {event.get_attributes()['id']}"
    bootstrap.reporter().report(function, event, lambda: act(event.get_data(), by))
