"""Traces and metrics of events: off, and nothing imported for them, unless OTEL_EXPORTER_OTLP_ENDPOINT names a place.

How it is done is adapters/open_telemetry.py's; what is said is reporting.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kupyterhub.reporting.endings import Ending
from kupyterhub.reporting.trace_context import TraceContext

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""https://opentelemetry.io/docs/specs/otel/protocol/exporter/"""


class Span(Protocol):
    """One event in a trace."""

    @property
    def trace(self) -> TraceContext | None:
        """Where it is, for the event's log line."""

    def end(self, ending: Ending) -> None:
        """It is over; returns once that is sent, for the CPU may stop after an event. Raises nothing."""


class Telemetry(Protocol):
    """Where spans and metrics go."""

    def start(self, function: str, parent: TraceContext | None) -> Span:
        """An event begins."""


@dataclass(frozen=True)
class Unsent:
    """A span that nobody wants: the event belongs to its request's."""

    trace: TraceContext | None

    def end(self, ending: Ending) -> None:
        """Nothing to send."""


class Off:
    """No traces, no metrics."""

    def start(self, function: str, parent: TraceContext | None) -> Span:  # noqa: ARG002 - none of Off's business
        """Pass the request's own span on."""
        return Unsent(parent)


def of_environment(environment: Mapping[str, str]) -> Telemetry:
    """What the environment asks for, by OpenTelemetry's own variables."""
    if not environment.get(ENDPOINT):
        return Off()
    # Imported where it is wanted: it costs the start of an instance some 50 ms.
    from kupyterhub.adapters import open_telemetry  # noqa: PLC0415

    return open_telemetry.connect(environment[ENDPOINT], environment)
