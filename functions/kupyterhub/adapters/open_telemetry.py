"""`telemetry.Telemetry` by OpenTelemetry: one span for each event, and what can be counted of it, sent by OTLP.

Google recommends OTLP to telemetry.googleapis.com over its own exporters
(https://cloud.google.com/trace/docs/migrate-to-otlp-endpoints), and every other system speaks it, too. By HTTP, whose
session renews Google's credentials; gRPC would need a plugin for them. Sampling, names and more attributes are set by
OpenTelemetry's own environment variables, which its SDK reads.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from kupyterhub.reporting.endings import Ending
from kupyterhub.reporting.telemetry import Off, Span, Telemetry
from kupyterhub.reporting.trace_context import TraceContext

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SECONDS = 2.0
"""How long an event may wait for the place that its span goes to."""
_REST = 10.0
"""Seconds between metrics: Cloud Monitoring takes one point of a time series in five."""
_DURATIONS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

_log = logging.getLogger(__name__)


def connect(endpoint: str, environment: Mapping[str, str]) -> Telemetry:
    """Send to an OTLP endpoint, with Google's credentials where it is Google's; off where there are none."""
    try:
        session = _session(endpoint)
    except GoogleAuthError:
        # A function does its work without telemetry as well.
        _log.warning("no traces and metrics: no Google credentials were found for %s", endpoint)
        return Off()
    base = endpoint.rstrip("/")
    return OpenTelemetry(
        OTLPSpanExporter(f"{base}/v1/traces", timeout=_SECONDS, session=session),
        PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics", timeout=_SECONDS, session=session)),
        # Each instance counts for itself: two without an id of their own would be one time series.
        {"service.name": environment.get("OTEL_SERVICE_NAME", "kupyterhub"), "service.instance.id": str(uuid4())},
    )


class OpenTelemetry:
    """Spans and metrics, sent at the end of each event."""

    def __init__(self, spans: SpanExporter, metrics: MetricReader, service: Mapping[str, str]) -> None:
        """`service` are attributes that say whose they are."""
        resource = Resource.create(dict(service))
        # Of this project's own: a global one would let libraries make spans of each of their requests.
        self._traces = TracerProvider(resource=resource)
        self._traces.add_span_processor(SimpleSpanProcessor(spans))
        self._tracer = self._traces.get_tracer("kupyterhub")
        self._metrics = MeterProvider([metrics], resource=resource)
        meter = self._metrics.get_meter("kupyterhub")
        self._events = meter.create_counter("kupyterhub.events", "{event}", "Events, by how they ended")
        self._requests = meter.create_counter("kupyterhub.requests", "{request}", "Requests to other systems")
        self._duration = meter.create_histogram(
            "kupyterhub.event.duration",
            "s",
            "How long an event took",
            explicit_bucket_boundaries_advisory=_DURATIONS,
        )
        self._lock = threading.Lock()
        self._sent_at = -_REST

    def start(self, function: str, parent: TraceContext | None) -> Span:
        """Start the event's span, as a child of the request's."""
        context = trace.set_span_in_context(trace.NonRecordingSpan(_remote(parent))) if parent else None
        return _EventSpan(self, function, self._tracer.start_span(function, context, trace.SpanKind.CONSUMER), parent)

    def count(self, function: str, ending: Ending) -> None:
        """Count an event that has ended, and send the metrics unless that was just done."""
        labels = {"function": function, "outcome": ending.outcome}
        self._events.add(1, labels)
        self._duration.record(ending.fields["milliseconds"] / 1000, labels)
        for system, number in ending.fields["requests"].items():
            self._requests.add(number, {"function": function, "system": system})
        with self._lock:
            now = time.monotonic()
            if now - self._sent_at < _REST:
                return
            self._sent_at = now
        try:
            self._metrics.force_flush()
        except Exception:  # noqa: BLE001 - the SDK raises just that, and the event has done its work
            _log.warning("metrics were not sent", exc_info=True)

    def close(self) -> None:
        """Send what is left; at the end of an instance the SDK does this itself."""
        self._traces.shutdown()
        self._metrics.shutdown()


@dataclass(frozen=True)
class _EventSpan:
    telemetry: OpenTelemetry
    function: str
    span: trace.Span
    parent: TraceContext | None

    @property
    def trace(self) -> TraceContext | None:
        if not self.span.is_recording():
            # Nobody will ever see this span; the request's may be there.
            return self.parent
        context = self.span.get_span_context()
        return TraceContext(
            trace=trace.format_trace_id(context.trace_id),
            span=trace.format_span_id(context.span_id),
            sampled=context.trace_flags.sampled,
        )

    def end(self, ending: Ending) -> None:
        self.span.set_attributes(_attributes(ending.fields))
        if ending.severity >= logging.WARNING:
            self.span.set_status(trace.StatusCode.ERROR, ending.message)
        self.span.end()
        self.telemetry.count(self.function, ending)


def _session(endpoint: str) -> requests.Session:
    if not (urlsplit(endpoint).hostname or "").endswith(".googleapis.com"):
        return requests.Session()
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]


def _remote(parent: TraceContext) -> trace.SpanContext:
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if parent.sampled else trace.TraceFlags.DEFAULT)
    return trace.SpanContext(int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=flags)


def _attributes(fields: Mapping[str, Any], prefix: str = "kupyterhub") -> dict[str, Any]:
    """The line's fields, those within others by their path, without its lists and what is Cloud Logging's own."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            found |= _attributes(value, f"{prefix}.{name}")
        elif isinstance(value, str | int | float) and not name.startswith("logging.googleapis.com/"):
            found[f"{prefix}.{name}"] = value
    return found
