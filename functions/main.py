"""The entry points: decode the event, reconcile, log the outcome. What is raised is delivered again."""

from collections.abc import Callable, Iterable

import functions_framework
from cloudevents.http import CloudEvent

from kupyterhub import bootstrap, events
from kupyterhub.adapters.bus import decode_message
from kupyterhub.adapters.user_store import decode_write
from kupyterhub.domain.errors import BadMessage
from kupyterhub.reconcile import Outcome


@functions_framework.cloud_event
def on_user_written(event: CloudEvent) -> None:
    """A users document was created, changed or deleted."""
    _handle(lambda: _look(events.look_of_write(decode_write(event.get_data()))))


@functions_framework.cloud_event
def on_delete_user(event: CloudEvent) -> None:
    """Somebody published `delete-user`."""
    _handle(lambda: bootstrap.removal().delete(events.deletion_of(decode_message(event.get_data()))))


@functions_framework.cloud_event
def on_agent_event(event: CloudEvent) -> None:
    """The proxy published what it saw of a user's agent."""
    _handle(lambda: _look(events.look_of_agent_event(decode_message(event.get_data()))))


@functions_framework.cloud_event
def on_reconcile_user(event: CloudEvent) -> None:
    """The controller asked itself to look at a user."""
    _handle(lambda: _look(events.look_of_reconcile_user(decode_message(event.get_data()))))


@functions_framework.cloud_event
def on_resync(event: CloudEvent) -> None:
    """Cloud Scheduler's minute or hour has come."""
    _handle(lambda: bootstrap.resync().run(events.resync_mode(decode_message(event.get_data()))))


def _look(look: events.Look | None) -> list[Outcome]:
    return [bootstrap.reconciler().reconcile(look)] if look else []


def _handle(act: Callable[[], Iterable[Outcome]]) -> None:
    try:
        for outcome in act():
            bootstrap.log().info("users/%s: %s (%s)", outcome.user, outcome.phase, outcome.note)
    except BadMessage as e:
        bootstrap.log().warning("acknowledged without effect: %s", e)
