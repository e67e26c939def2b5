"""What operators read of an event: one line of JSON, whatever came of it, and nothing that is nobody's business."""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, NoReturn

import flask
import pytest
from cloudevents.http import CloudEvent

from kupyterhub.domain.errors import BadMessage, ClusterRefused, SettingsError, TransientError
from kupyterhub.reconcile import Outcome
from kupyterhub.reporting import json_lines, under_way
from kupyterhub.reporting.reporter import Reporter
from kupyterhub.reporting.telemetry import Off

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TOKEN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # noqa: S105 - of the form, no secret
READY = Outcome("ada", "Ready", "status written", "Provisioning", "Ready")
Act = Callable[[], Iterable[Outcome]]
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def text() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(text: io.StringIO) -> Iterator[Lines]:
    """What is logged, as Cloud Logging reads it: line by line, each of them JSON."""
    handler = json_lines.handler(text)
    root, ours = logging.getLogger(), logging.getLogger(json_lines.OURS)
    level = ours.level
    ours.setLevel(logging.INFO)
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    root.removeHandler(handler)
    ours.setLevel(level)


@pytest.fixture
def reporter() -> Reporter:
    return Reporter(logging.getLogger(json_lines.OURS), Off(), "my-project")


def event(data: Any = None) -> CloudEvent:
    return CloudEvent({"id": "e-1", "source": "//test", "type": "test"}, data)


def raising(error: BaseException) -> Act:
    def act() -> NoReturn:
        raise error

    return act


def served(reporter: Reporter, act: Act, **headers: str) -> int:
    """Let Flask call the function, as functions-framework does, and give its status."""
    app = flask.Flask("on_test")

    @app.post("/")
    def on_test() -> str:
        reporter.report("test", event(), act)
        return "OK"

    with app.test_client() as client:
        return client.post("/", headers=headers).status_code


def test_a_line_has_every_field(reporter: Reporter, lines: Lines) -> None:
    def act() -> list[Outcome]:
        for system in ("kubernetes", "kubernetes", "firestore", "pubsub"):
            under_way.count(system)
        return [READY]

    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    with flask.Flask("on_test").test_request_context(headers=headers):
        reporter.report("user-written", event({"deliveryAttempt": 3}), act)

    (line,) = lines()
    assert isinstance(line.pop("milliseconds"), int)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "severity": "INFO",
        "message": "users/ada: Ready (status written)",
        "logger": "kupyterhub",
        "function": "user-written",
        "eventId": "e-1",
        "attempt": 3,
        "logging.googleapis.com/trace": f"projects/my-project/traces/{TRACE}",
        "logging.googleapis.com/spanId": SPAN,
        "logging.googleapis.com/trace_sampled": True,
        "outcome": "done",
        "user": "ada",
        "phaseBefore": "Provisioning",
        "phase": "Ready",
        "reason": "Ready",
        "note": "status written",
        "requests": {"kubernetes": 2, "firestore": 1, "pubsub": 1},
    }


def test_several_outcomes_are_one_line(reporter: Reporter, lines: Lines) -> None:
    first = Outcome("*", None, "resync all", None, "PolicyHeld")

    reporter.report("resync", event(), lambda: [first, READY])

    (line,) = lines()
    assert (line["user"], line["reason"], "phase" in line) == ("*", "PolicyHeld", False)
    assert line["message"] == "users/*: None (resync all), and 1 more"
    assert line["outcomes"] == [
        {"user": "*", "reason": "PolicyHeld", "note": "resync all"},
        {
            "user": "ada",
            "phaseBefore": "Provisioning",
            "phase": "Ready",
            "reason": "Ready",
            "note": "status written",
        },
    ]
    assert line["outcomesLeftOut"] == 0


def test_a_sweep_of_thousands_is_a_line_that_cloud_logging_takes(
    reporter: Reporter, lines: Lines, text: io.StringIO
) -> None:
    reporter.report("resync", event(), lambda: [Outcome("é" * 60, "Ready", "n" * 200)] * 5000)

    assert len(text.getvalue()) < 256 * 1024
    assert lines()[0]["outcomesLeftOut"] == 4900


def test_an_echo_is_a_line_too(reporter: Reporter, lines: Lines) -> None:
    reporter.report("user-written", event(), list)

    (line,) = lines()
    assert (line["severity"], line["outcome"], line["message"]) == ("INFO", "nothing", "nothing to do")


def test_what_cannot_be_understood_is_acknowledged(reporter: Reporter, lines: Lines) -> None:
    assert served(reporter, raising(BadMessage("the message is not JSON"))) == 200

    (line,) = lines()
    assert (line["severity"], line["outcome"]) == ("WARNING", "refused")
    assert line["message"] == "acknowledged without effect: the message is not JSON"
    assert "stack_trace" not in line


@pytest.mark.parametrize(
    ("error", "severity", "outcome"),
    [
        (TransientError("Kubernetes is away"), "WARNING", "retried"),
        (SettingsError("domain: is missing\nproxy: is no proxy"), "ERROR", "failed"),
        (ClusterRefused("QuotaExceeded", "exceeded quota: pods"), "ERROR", "failed"),
    ],
    ids=["transient", "settings", "refused"],
)
def test_what_is_raised_on_purpose_is_one_line_and_delivered_again(
    reporter: Reporter, lines: Lines, error: Exception, severity: str, outcome: str
) -> None:
    assert served(reporter, raising(error)) == 500

    (line,) = lines()
    assert (line["severity"], line["outcome"]) == (severity, outcome)
    assert line["error"] == {"type": type(error).__name__, "message": str(error)}
    assert "stack_trace" not in line


def test_what_kubernetes_refused_is_found_by_its_reason(reporter: Reporter, lines: Lines) -> None:
    served(reporter, raising(ClusterRefused("QuotaExceeded", "exceeded quota: pods")))

    assert lines()[0]["reason"] == "QuotaExceeded"


def test_what_nobody_foresaw_is_one_line_with_where_it_was(reporter: Reporter, lines: Lines) -> None:
    assert served(reporter, raising(KeyError("items"))) == 500

    (line,) = lines()
    assert (line["severity"], line["outcome"]) == ("ERROR", "failed")
    assert line["error"] == {"type": "KeyError", "message": "'items'"}
    assert line["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert line["stack_trace"].endswith("KeyError: 'items'\n")
    assert "raise error" in line["stack_trace"]


@pytest.mark.parametrize(
    "error", [TransientError("away"), KeyError("x"), SystemExit(1)], ids=lambda e: type(e).__name__
)
def test_what_is_raised_goes_on_as_it_is(reporter: Reporter, lines: Lines, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        reporter.report("test", event(), raising(error))

    assert raised.value is error
    assert len(lines()) == 1


def test_an_exception_of_something_else_is_still_logged(lines: Lines) -> None:
    app = flask.Flask("on_test")
    app.add_url_rule("/", view_func=raising(KeyError("items")))  # type: ignore[arg-type]
    with app.test_client() as client:
        client.get("/")

    (line,) = lines()
    assert (line["severity"], line["logger"]) == ("ERROR", "on_test")
    assert line["stack_trace"].endswith("KeyError: 'items'\n")


def test_a_line_about_what_was_raised_names_the_user(reporter: Reporter, lines: Lines) -> None:
    def act() -> NoReturn:
        under_way.about("ada")
        under_way.count("firestore")
        raise TransientError("Firestore is away")

    served(reporter, act)

    (line,) = lines()
    assert (line["user"], line["requests"]["firestore"]) == ("ada", 1)


@pytest.mark.parametrize(
    "user",
    ["a\nb", "a\r\nb", "a\u2028b", "a\u0085b", 'a"b', "a\x00b"],
    ids=["LF", "CRLF", "LS", "NEL", "quote", "NUL"],
)
def test_an_id_with_a_line_break_is_in_one_line(reporter: Reporter, lines: Lines, user: str) -> None:
    def away() -> NoReturn:
        under_way.about(user)
        raise TransientError(f"users/{user} changed")

    reporter.report("test", event(), lambda: [Outcome(user, "Failed", "status written")])
    served(reporter, away)

    done, retried = lines()
    assert done["user"] == retried["user"] == user
    assert done["message"] == f"users/{user}: Failed (status written)"
    assert retried["error"]["message"] == f"users/{user} changed"


QUOTED: dict[str, str] = {
    "an Authorization header": f"401 Authorization: Bearer {TOKEN}",
    "a URL": f"Max retries exceeded with url: /user/ada?token={TOKEN}",
    "hexadecimal digits": f"invalid value '{TOKEN}'",
    "a JWT": "no such key: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "Google's": "refresh failed for ya29.a0AfH6SMBx-secret-secret",
    "a body": f'(409)\nReason: Conflict\nHTTP response body: {{"data": {{"token": "{TOKEN}"}}}}',
}


@pytest.mark.parametrize("quoted", QUOTED.values(), ids=QUOTED)
def test_neither_a_token_nor_an_object_is_in_a_line(
    reporter: Reporter, lines: Lines, text: io.StringIO, quoted: str
) -> None:
    def act() -> NoReturn:
        error = _caused(RuntimeError(quoted), by=quoted)
        logging.getLogger("urllib3.connectionpool").warning("retrying: %s", quoted, exc_info=error)
        raise error

    served(reporter, act)
    served(reporter, raising(_caused(TransientError("Kubernetes is away"), by=quoted)))

    assert len(lines()) == 3
    for secret in (TOKEN, "eyJhbGci", "ya29.", "response body"):
        assert secret not in text.getvalue()


def _caused(error: Exception, by: str) -> Exception:
    error.__cause__ = ValueError(by)
    return error


def test_what_a_library_warns_of_is_such_a_line_and_part_of_the_event(reporter: Reporter, lines: Lines) -> None:
    def act() -> list[Outcome]:
        logging.getLogger("urllib3").warning("retrying\nonce")
        logging.getLogger("urllib3").info("a new connection")
        return [READY]

    served(reporter, act, traceparent=f"00-{TRACE}-{SPAN}-00")

    warning, _ = lines()
    assert (warning["severity"], warning["logger"], warning["message"]) == ("WARNING", "urllib3", "retrying")
    assert (warning["function"], warning["eventId"]) == ("test", "e-1")
    assert warning["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"


HEADERS: dict[str, tuple[dict[str, str], tuple[str, str, bool] | None]] = {
    "W3C's": ({"traceparent": f"00-{TRACE}-{SPAN}-00"}, (TRACE, SPAN, False)),
    "sampled": ({"traceparent": f"00-{TRACE}-{SPAN}-03"}, (TRACE, SPAN, True)),
    "of a later version": ({"traceparent": f"01-{TRACE}-{SPAN}-01-more"}, (TRACE, SPAN, True)),
    "Google's": ({"X-Cloud-Trace-Context": f"{TRACE}/{int(SPAN, 16)};o=1"}, (TRACE, SPAN, True)),
    "Google's, unsampled": ({"X-Cloud-Trace-Context": f"{TRACE.upper()}/1"}, (TRACE, "0" * 15 + "1", False)),
    "both": ({"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Cloud-Trace-Context": f"{'1' * 32}/1"}, (TRACE, SPAN, True)),
    "none": ({}, None),
    "rubbish": ({"traceparent": "00-x-y-01", "X-Cloud-Trace-Context": "x/y;o=z"}, None),
    "zeros": ({"traceparent": f"00-{'0' * 32}-{SPAN}-01", "X-Cloud-Trace-Context": f"{TRACE}/0"}, None),
    "no version": ({"traceparent": f"ff-{TRACE}-{SPAN}-01"}, None),
    "a span that is too large": ({"X-Cloud-Trace-Context": f"{TRACE}/{2**64}"}, None),
}


@pytest.mark.parametrize(("headers", "expected"), HEADERS.values(), ids=HEADERS)
def test_a_line_is_part_of_the_requests_trace(
    reporter: Reporter, lines: Lines, headers: dict[str, str], expected: tuple[str, str, bool] | None
) -> None:
    served(reporter, lambda: [READY], **headers)

    (line,) = lines()
    found = {name.partition("/")[2]: value for name, value in line.items() if "googleapis.com/" in name}
    if expected is None:
        assert found == {}
    else:
        trace, span, sampled = expected
        assert found == {"trace": f"projects/my-project/traces/{trace}", "spanId": span, "trace_sampled": sampled}


def test_without_a_project_no_trace_is_named(lines: Lines) -> None:
    reporter = Reporter(logging.getLogger(json_lines.OURS), Off())

    served(reporter, lambda: [READY], traceparent=f"00-{TRACE}-{SPAN}-01")

    assert not [name for name in lines()[0] if "googleapis" in name]


@pytest.mark.parametrize(
    "data",
    [None, b"\x0a\x01", {"message": {}}, [], {"deliveryAttempt": "3"}, {"deliveryAttempt": None}],
    ids=["nothing", "protobuf", "no attempt", "a list", "text", "null"],
)
def test_the_attempt_is_left_out_where_nobody_says_it(reporter: Reporter, lines: Lines, data: Any) -> None:
    reporter.report("test", event(data), lambda: [READY])

    assert "attempt" not in lines()[0]


def test_each_of_the_events_at_once_counts_for_itself(reporter: Reporter, lines: Lines) -> None:
    together = threading.Barrier(8)

    def act(number: int) -> list[Outcome]:
        together.wait()
        for _ in range(number):
            under_way.count("kubernetes")
        together.wait()
        return [Outcome(str(number), "Ready", "unchanged")]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: reporter.report("test", event(), lambda: act(n)), range(8)))

    assert {line["user"]: line["requests"]["kubernetes"] for line in lines()} == {str(n): n for n in range(8)}


def test_threads_of_one_event_count_together(reporter: Reporter, lines: Lines) -> None:
    def act() -> list[Outcome]:
        with ThreadPoolExecutor(4) as threads:
            contexts = [copy_context() for _ in range(100)]
            list(threads.map(lambda context: context.run(under_way.count, "firestore"), contexts))
        return [READY]

    reporter.report("test", event(), act)

    assert lines()[0]["requests"]["firestore"] == 100


def test_outside_of_an_event_nothing_is_counted() -> None:
    under_way.count("kubernetes")
    under_way.about("ada")

    assert under_way.fields() == {}
