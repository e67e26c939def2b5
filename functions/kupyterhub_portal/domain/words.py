"""How it stands with somebody's server, in words for the person themselves. Kubernetes' own are not among them."""

from dataclasses import dataclass

from kupyterhub.domain.policy import Ended, Rejected, Stopped, Verdict
from kupyterhub.domain.users import Status, UserDocument

STEPS = ("Asked for", "A machine", "JupyterLab starts", "Ready")
_ASKED, _MACHINE, _STARTS, _READY = range(len(STEPS))


@dataclass(frozen=True, slots=True)
class Words:
    """What the person reads."""

    title: str
    text: str
    step: int | None = None
    """Which of STEPS it is at, while it starts."""
    changes: bool = False
    """Whether something else will soon be true."""
    needs_help: bool = False


_NOT_PREPARED = (
    "The software of your server could not be fetched yet; it is tried again and again. Your files are safe. If it "
    "stays so for some minutes, tell an administrator."
)
_STARTING = {
    "WaitingForNode": (
        _MACHINE,
        "A machine is being added for you. That usually takes 2 to 5 minutes, and then JupyterLab starts by itself.",
    ),
    "ErrImagePull": (_STARTS, _NOT_PREPARED),
    "ImagePullBackOff": (_STARTS, _NOT_PREPARED),
    "InvalidImageName": (_STARTS, _NOT_PREPARED),
    "CreateContainerConfigError": (_STARTS, _NOT_PREPARED),
    "CrashLoopBackOff": (
        _STARTS,
        (
            "JupyterLab ended right after it had started, and is being started again. Your files are safe. If it "
            "stays so for some minutes, tell an administrator."
        ),
    ),
}
_REJECTED = {
    "EmailNotAllowed": "Your address is not among those that may have a server here. An administrator can allow it.",
    "DuplicateEmail": "There are two entries with your address. An administrator has to remove one of them.",
    "UnknownProfile": "The kind of server that you had is no longer offered. Choose another one below.",
    "ImageNotAllowed": "The software that you had chosen is no longer offered. Choose another one below.",
    "StorageRefused": "There is no room for your files at the moment. An administrator can make some.",
}
_ENTRY = "Something about your entry has to be corrected. An administrator sees what it is."


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
        return Words("Starting", "Your request was noted.", _ASKED, changes=True)
    return _running(document.status)


def _running(status: Status) -> Words:
    match status.phase:
        case "Ready":
            waits = " What you chose counts from the next start." if status.message else ""
            return Words("Your server is running", f"Everything is ready.{waits}")
        case "Waiting":
            return Words("You are in the queue", "Your server starts when there is room.", _ASKED, changes=True)
        case "Rejected":
            rejected = Rejected(status.reason or "", "")
            return Words("Your server needs a change first", _rejected(rejected), needs_help=True)
        case "Failed":
            return Words(
                "This takes longer than it should",
                "Your server is still being tried, and your files are safe. You need do nothing; an administrator "
                "sees what it waits for.",
                _STARTS,
                changes=True,
                needs_help=True,
            )
        case _:
            step, text = _STARTING.get(
                status.reason or "", (_STARTS, "JupyterLab is starting. That usually takes less than a minute.")
            )
            return Words("Starting", text, step, changes=True)


def waits_for_restart(document: UserDocument) -> bool:
    """Whether the server runs with something else than was chosen since."""
    status = document.status
    return status.phase == "Ready" and bool(status.message) and document.fields.get("restart") is not True


def _ended(document: UserDocument) -> Words:
    if document.fields.get("state") == "deleted":
        text = "An administrator has removed it. If that was a mistake, they can bring it back, with your files."
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
    return _REJECTED.get(rejected.reason, _ENTRY)
