"""One event, one line: does what the event asks for, and says what came of it, also where it raises.

Called by main.py, for each event; wired in bootstrap.py. It decides nothing about users.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import flask
from cloudevents.http import CloudEvent

from kupyterhub.domain.errors import BadMessage
from kupyterhub.reconcile import Outcome
from kupyterhub.reporting import endings, trace_context, under_way
from kupyterhub.reporting.endings import Ending
from kupyterhub.reporting.json_lines import mark_reported
from kupyterhub.reporting.telemetry import Telemetry
from kupyterhub.reporting.trace_context import TraceContext


@dataclass(frozen=True)
class Reporter:
    """Writes the line, and the span and metrics where they are wanted."""

    log: logging.Logger
    telemetry: Telemetry
    project: str | None = None
    """In which the traces are; without it a line names none."""

    def report(self, function: str, event: CloudEvent, act: Callable[[], Iterable[Outcome]]) -> None:
        """Do it. What it raises goes on as it is, but for BadMessage, which no second delivery makes better."""
        started = time.perf_counter()
        span = self.telemetry.start(function, _trace())
        with under_way.event(self._of_event(function, event, span.trace)) as work:
            try:
                ending = endings.of_outcomes(list(act()))
            except BadMessage as e:
                ending = endings.of_error(e)
            except BaseException as e:
                ending = endings.of_error(e)
                mark_reported(e)
                raise
            finally:
                fields = {
                    **({"user": work.user} if work.user is not None else {}),
                    **ending.fields,
                    "milliseconds": round((time.perf_counter() - started) * 1000),
                    "requests": work.requests,
                }
                self.log.log(ending.severity, "%s", ending.message, extra={"fields": fields})
                span.end(Ending(ending.severity, ending.message, {**work.fields, **fields}))

    def _of_event(self, function: str, event: CloudEvent, trace: TraceContext | None) -> dict[str, Any]:
        """What is known before anything is done, for every line that is logged meanwhile."""
        attributes, attempt = event.get_attributes(), _attempt(event.get_data())
        return {
            "function": function,
            "eventId": attributes["id"],
            **({"attempt": attempt} if attempt is not None else {}),
            **(_in_logging(trace, self.project) if trace and self.project else {}),
        }


def _trace() -> TraceContext | None:
    if not flask.has_request_context():
        return None
    headers = flask.request.headers
    return trace_context.of_headers(headers.get("traceparent", ""), headers.get("X-Cloud-Trace-Context", ""))


def _attempt(body: Any) -> int | None:
    """How often Pub/Sub has tried; it says so where a subscription has a dead-letter topic.

    https://cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts. An event of Firestore has no place
    for it: its body is the document.
    """
    attempt = body.get("deliveryAttempt") if isinstance(body, Mapping) else None
    return attempt if isinstance(attempt, int) else None


def _in_logging(trace: TraceContext, project: str) -> dict[str, Any]:
    """https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields."""
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{trace.trace}",
        "logging.googleapis.com/spanId": trace.span,
        "logging.googleapis.com/trace_sampled": trace.sampled,
    }
