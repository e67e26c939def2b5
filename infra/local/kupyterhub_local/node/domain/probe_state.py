"""When a container is probed, and what the answers amount to. Pure: the clock is handed in."""

from dataclasses import dataclass, field
from typing import Literal

from .manifests import Manifest

Kind = Literal["startup", "readiness", "liveness"]

_EAGER_SECONDS = 0.1
_EAGER_SHARE = 50
_NEARLY = 0.99
"""A look may wake a little before its time."""


@dataclass(frozen=True)
class ProbeTiming:
    """The numbers of a probe in a manifest, seconds and counts; the API server has filled the defaults in."""

    initial_delay: float
    period: float
    timeout: float
    failure_threshold: int
    success_threshold: int

    @classmethod
    def of(cls, probe: Manifest) -> "ProbeTiming":
        """Read them from a manifest's probe."""
        return cls(
            initial_delay=probe.get("initialDelaySeconds", 0),
            period=probe.get("periodSeconds", 10),
            timeout=probe.get("timeoutSeconds", 1),
            failure_threshold=probe.get("failureThreshold", 3),
            success_threshold=probe.get("successThreshold", 1),
        )


@dataclass
class ProbeState:
    """The verdict of one probe on one run of a container; None until a threshold is reached."""

    kind: Kind
    timing: ProbeTiming
    verdict: bool | None = None
    _in_a_row: int = field(default=0, init=False)
    _last_answer: bool | None = field(default=None, init=False)
    _counted_at: float = field(default=float("-inf"), init=False)
    _succeeded: bool = field(default=False, init=False)

    def pause(self, age: float) -> float:
        """Return the seconds until the next look, `age` seconds after the container's start.

        Until the first success, readiness and startup are looked at much more often than the period says, a
        little more slowly as the container ages: people wait for that moment. Liveness keeps its period.
        """
        if self._succeeded or self.kind == "liveness":
            return self.timing.period
        return min(self.timing.period, _EAGER_SECONDS + age / _EAGER_SHARE)

    def record(self, *, success: bool, at: float) -> bool:
        """Take an answer in and say whether the verdict changed by it.

        Of failures that come faster than the period only one a period counts: eager looks give a container
        no less time than its manifest does.
        """
        if not success and self._last_answer is False and at - self._counted_at < self.timing.period * _NEARLY:
            return False
        self._in_a_row = self._in_a_row + 1 if success == self._last_answer else 1
        self._last_answer, self._counted_at = success, at
        self._succeeded = self._succeeded or success
        threshold = self.timing.success_threshold if success else self.timing.failure_threshold
        if self._in_a_row < threshold or self.verdict is success:
            return False
        self.verdict = success
        return True
