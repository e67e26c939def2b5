"""When a container is probed, and what the answers amount to."""

import pytest

from kupyterhub_local.node.domain.probe_state import Kind, ProbeState, ProbeTiming

TIMING = ProbeTiming(initial_delay=0, period=10, timeout=1, failure_threshold=3, success_threshold=1)


def verdicts(state: ProbeState, answers: str, every: float) -> list[bool]:
    """Record `+` and `-`, one each `every` seconds, and return each verdict that changed."""
    changes = []
    for step, answer in enumerate(answers):
        if state.record(success=answer == "+", at=step * every):
            assert state.verdict is not None
            changes.append(state.verdict)
    return changes


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param("+", [True], id="one success is enough"),
        pytest.param("--", [], id="below the threshold nothing is said"),
        pytest.param("---", [False], id="the third failure"),
        pytest.param("+--+--+", [True], id="failures that are not in a row"),
        pytest.param("+---+", [True, False, True], id="back again"),
    ],
)
def test_a_verdict_changes_at_its_threshold(answers: str, expected: list[bool]) -> None:
    assert verdicts(ProbeState("readiness", TIMING), answers, every=10) == expected


def test_eager_failures_count_once_a_period() -> None:
    state = ProbeState("startup", TIMING)
    assert verdicts(state, "-" * 190, every=0.1) == []
    assert verdicts(state, "-" * 10, every=10) == [False]


def test_readiness_is_looked_at_often_until_the_first_success() -> None:
    state = ProbeState("readiness", TIMING)
    assert state.pause(age=0) == pytest.approx(0.1)
    assert state.pause(age=10) == pytest.approx(0.3)
    assert state.pause(age=3600) == 10
    state.record(success=True, at=1)
    assert state.pause(age=1) == 10


@pytest.mark.parametrize(("kind", "pause"), [("liveness", 10), ("startup", 0.1)])
def test_liveness_keeps_its_period(kind: Kind, pause: float) -> None:
    assert ProbeState(kind, TIMING).pause(age=0) == pause
