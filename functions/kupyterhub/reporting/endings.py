"""How an event ended, for people and for what reads fields: a sentence, a severity and the fields; pure."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kupyterhub.domain.errors import BadMessage, ClusterRefused, KupyterhubError, TransientError
from kupyterhub.reconcile import Outcome
from kupyterhub.reporting.unforeseen import harmless, stack_trace

_MOST = 100
"""A line may have 256 KiB, and a sweep by `resync` as many outcomes as there are users."""


@dataclass(frozen=True)
class Ending:
    """`fields["outcome"]` is one of done, nothing, refused, retried and failed."""

    severity: int
    message: str
    fields: Mapping[str, Any]

    @property
    def outcome(self) -> str:
        """The one word, for who counts."""
        return str(self.fields["outcome"])


def of_outcomes(outcomes: Sequence[Outcome]) -> Ending:
    """The first outcome's fields are the line's; where there are several, all are listed, up to a limit."""
    if not outcomes:
        return Ending(logging.INFO, "nothing to do", {"outcome": "nothing"})
    first, others = outcomes[0], len(outcomes) - 1
    fields = {"outcome": "done", **_fields(first)}
    if others:
        fields["outcomes"] = [_fields(each) for each in outcomes[:_MOST]]
        fields["outcomesLeftOut"] = max(0, len(outcomes) - _MOST)
    message = f"users/{first.user}: {first.phase} ({first.note})"
    return Ending(logging.INFO, f"{message}, and {others} more" if others else message, fields)


def of_error(error: BaseException) -> Ending:
    """What was raised: a message without sense, something that may work later, or what nobody foresaw."""
    text = str(error) if isinstance(error, KupyterhubError) else harmless(str(error))
    fields: dict[str, Any] = {"error": {"type": type(error).__name__, "message": text}}
    match error:
        case BadMessage():
            return Ending(logging.WARNING, f"acknowledged without effect: {text}", {"outcome": "refused", **fields})
        case TransientError():
            return Ending(logging.WARNING, f"delivered again: {text}", {"outcome": "retried", **fields})
        case ClusterRefused():
            fields["reason"] = error.reason
        case KupyterhubError():
            pass
        case _:
            fields["stack_trace"] = stack_trace(error)
    return Ending(logging.ERROR, f"failed: {type(error).__name__}: {text}", {"outcome": "failed", **fields})


def _fields(outcome: Outcome) -> dict[str, Any]:
    """What is None is left out: Cloud Logging finds by `field:*` what has one."""
    found = {
        "user": outcome.user,
        "phaseBefore": outcome.before,
        "phase": outcome.phase,
        "reason": outcome.reason,
        "note": outcome.note,
    }
    return {name: value for name, value in found.items() if value is not None}
