"""Traces and metrics: off without an endpoint, one span for each event with one, and never in an event's way."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import flask
import pytest
from cloudevents.http import CloudEvent
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kupyterhub.adapters.open_telemetry import OpenTelemetry
from kupyterhub.domain.errors import TransientError
from kupyterhub.reconcile import Outcome
from kupyterhub.reporting import telemetry, under_way
from kupyterhub.reporting.reporter import Reporter
from kupyterhub.reporting.telemetry import Telemetry
from twins.otlp import receiver

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
READY = Outcome("ada", "Ready", "status written", "Provisioning", "Ready")
AWAY = "http://127.0.0.1:9"  # discard: nobody listens there


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def metrics() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def here(spans: InMemorySpanExporter, metrics: InMemoryMetricReader) -> Iterator[OpenTelemetry]:
    here = OpenTelemetry(spans, metrics, {"service.name": "kupyterhub"})
    yield here
    here.close()


def report(to: Telemetry, act: Callable[[], Iterable[Outcome]], sampled: str = "01") -> None:
    event = CloudEvent({"id": "e-1", "source": "//test", "type": "test"}, {"deliveryAttempt": 2})
    with flask.Flask("on_test").test_request_context(headers={"traceparent": f"00-{TRACE}-{SPAN}-{sampled}"}):
        Reporter(logging.getLogger("kupyterhub"), to, "my-project").report("user-written", event, act)


def looked() -> list[Outcome]:
    under_way.count("kubernetes")
    under_way.count("kubernetes")
    return [READY]


def away() -> NoReturn:
    raise TransientError("Kubernetes is away")


def test_off_imports_nothing() -> None:
    program = """
import sys
from kupyterhub.reporting import reporter, telemetry
assert type(telemetry.of_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": ""})).__name__ == "Off"
print(*[name for name in sys.modules if name.startswith(("opentelemetry", "google.auth", "requests"))])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""


def test_off_the_event_belongs_to_the_requests_span(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kupyterhub")

    report(telemetry.of_environment({}), looked)

    assert len(caplog.records) == 1


def test_an_event_is_one_span_of_the_requests_trace(here: OpenTelemetry, spans: InMemorySpanExporter) -> None:
    report(here, looked)

    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert span.context is not None
    assert (f"{span.parent.span_id:016x}", f"{span.context.trace_id:032x}") == (SPAN, TRACE)
    attributes = dict(span.attributes or {})
    assert isinstance(attributes.pop("kupyterhub.milliseconds"), int)
    assert attributes == {
        "kupyterhub.function": "user-written",
        "kupyterhub.eventId": "e-1",
        "kupyterhub.attempt": 2,
        "kupyterhub.outcome": "done",
        "kupyterhub.user": "ada",
        "kupyterhub.phaseBefore": "Provisioning",
        "kupyterhub.phase": "Ready",
        "kupyterhub.reason": "Ready",
        "kupyterhub.note": "status written",
        "kupyterhub.requests.kubernetes": 2,
        "kupyterhub.requests.firestore": 0,
        "kupyterhub.requests.pubsub": 0,
    }
    assert span.status.is_unset


def test_the_line_names_the_events_span(
    here: OpenTelemetry, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    named: list[Any] = []

    def act() -> list[Outcome]:
        named.append(under_way.fields()["logging.googleapis.com/spanId"])
        return [READY]

    report(here, act)

    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert named == [f"{span.context.span_id:016x}"]


def test_an_unsampled_request_has_no_span_and_its_line_names_the_requests(
    here: OpenTelemetry, spans: InMemorySpanExporter
) -> None:
    named: list[Any] = []

    def act() -> list[Outcome]:
        named.append(under_way.fields()["logging.googleapis.com/spanId"])
        return [READY]

    report(here, act, sampled="00")

    assert spans.get_finished_spans() == ()
    assert named == [SPAN]


def test_the_span_of_what_was_raised_says_so(here: OpenTelemetry, spans: InMemorySpanExporter) -> None:
    with pytest.raises(TransientError):
        report(here, away)

    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert span.status.description == "delivered again: Kubernetes is away"
    assert dict(span.attributes or {})["kupyterhub.error.type"] == "TransientError"


def test_events_requests_and_durations_are_counted(here: OpenTelemetry, metrics: InMemoryMetricReader) -> None:
    report(here, looked)
    report(here, looked)
    with pytest.raises(TransientError):
        report(here, away)

    assert counted(metrics, "kupyterhub.events") == {("user-written", "done"): 2, ("user-written", "retried"): 1}
    assert counted(metrics, "kupyterhub.event.duration") == {
        ("user-written", "done"): 2,
        ("user-written", "retried"): 1,
    }
    assert counted(metrics, "kupyterhub.requests")["user-written", "kubernetes"] == 4


def counted(metrics: InMemoryMetricReader, name: str) -> dict[tuple[Any, ...], float]:
    data = metrics.get_metrics_data()
    assert data is not None
    found = {m.name: m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}
    return {
        tuple((point.attributes or {}).values()): getattr(point, "value", getattr(point, "count", 0))
        for point in found[name].data.data_points
    }


def test_each_event_is_sent_before_it_ends_and_metrics_now_and_then() -> None:
    with receiver() as there:
        sending = telemetry.of_environment({telemetry.ENDPOINT: there.endpoint})
        assert isinstance(sending, OpenTelemetry)
        for sent in (1, 2, 3):
            report(sending, looked)
            assert len(there.traces) == sent
        assert len(there.metrics) == 1
        sending.close()
        assert len(there.metrics) == 2

    (resource,) = there.traces[0].resource_spans
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert attributes["service.name"] == "kupyterhub"
    assert len(attributes["service.instance.id"]) == 36
    events = next(m for m in there.metrics[1].resource_metrics[0].scope_metrics[0].metrics if "events" in m.name)
    assert [point.as_int for point in events.sum.data_points] == [3]


def test_an_endpoint_that_is_away_fails_no_event() -> None:
    sending = telemetry.of_environment({telemetry.ENDPOINT: AWAY})
    assert isinstance(sending, OpenTelemetry)
    begun = time.monotonic()

    report(sending, looked)

    assert time.monotonic() - begun < 10
    sending.close()


def test_without_googles_credentials_there_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    sending = telemetry.of_environment({telemetry.ENDPOINT: "https://telemetry.googleapis.com"})

    assert isinstance(sending, telemetry.Off)
    assert "no Google credentials" in caplog.text
