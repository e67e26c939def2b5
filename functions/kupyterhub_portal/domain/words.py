"""How it stands with somebody's server, in words for the person themselves.

Kubernetes' own are not among them, but where a reason has none here: then the controller's sentence is told.
"""

from dataclasses import dataclass

from kupyterhub.domain.phases import WAITS
from kupyterhub.domain.policy import Ended, Rejected, Stopped, Verdict
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub_portal.domain.reasons import ASKED, ENTRY, FAILED, REJECTED, STARTING, STARTS, TRIED


@dataclass(frozen=True, slots=True)
class Words:
    """What the person reads."""

    title: str
    text: str
    step: int | None = None
    """Which of reasons.STEPS it is at, while it starts."""
    changes: bool = False
    """Whether something else will soon be true."""
    needs_help: bool = False


def words(document: UserDocument, verdict: Verdict) -> Words:
    """Say how it stands; `verdict` is of the document as it is now, its status may be of an earlier version."""
    acted_on = document.status.observed == document.observed and document.fields.get("restart") is not True
    if isinstance(verdict, Ended):
        return _ended(document)
    if isinstance(verdict, Stopped):
        return (
            _stopped(document.status.reason) if acted_on else Words("Stopping", "A few seconds more.", changes=True)
        )
    if isinstance(verdict, Rejected):
        return Words("Your server needs a change first", _rejected(verdict), needs_help=True)
    if not acted_on:
        return Words("Starting", "Your request was noted.", ASKED, changes=True)
    return _running(document.status)


def _running(status: Status) -> Words:
    reason = status.reason or ""
    match status.phase:
        case "Ready":
            return Words("Your server is running", f"Everything is ready.{_beside(status)}")
        case "Waiting":
            return Words("You are in the queue", "Your server starts when there is room.", ASKED, changes=True)
        case "Rejected":
            return Words("Your server needs a change first", _rejected(Rejected(reason, "")), needs_help=True)
        case "Failed":
            step, text = FAILED.get(reason, (STARTS, status.message or TRIED))
            return Words("This takes longer than it should", text, step, changes=True, needs_help=True)
        case _:
            _, starting = STARTING["Starting"]
            step, text = STARTING.get(reason, (STARTS, status.message or starting))
            return Words("Starting", text, step, changes=True)


def _beside(status: Status) -> str:
    """What else is to be said of a server that is ready."""
    if status.message == WAITS:
        return " What you chose counts from the next start."
    return " What was changed could not be given to it yet; an administrator sees why." if status.message else ""


def waits_for_restart(document: UserDocument) -> bool:
    """Whether the server runs with something else than was chosen since."""
    status = document.status
    return status.phase == "Ready" and status.message == WAITS and document.fields.get("restart") is not True


def _ended(document: UserDocument) -> Words:
    if document.fields.get("state") == "deleted":
        purged = "purge" in (document.status.message or "") or document.wishes.purge
        files = "but your files are gone" if purged else "with your files"
        text = f"An administrator has removed it. If that was a mistake, they can bring it back, {files}."
    else:
        text = "Your time here is over. An administrator can extend it; your files are kept."
    return Words("You have no server any more", text)


def _stopped(reason: str | None) -> Words:
    why = {
        "Idle": "It was stopped because nothing had happened in it for a while. ",
        "MaxAge": "It was stopped because it had been running for as long as servers may. ",
    }.get(reason or "", "")
    return Words("Your server is stopped", f"{why}Your files are kept. Start it whenever you like.")


def _rejected(rejected: Rejected) -> str:
    return REJECTED.get(rejected.reason, ENTRY)
