"""Firestore, and by their effect the functions and Cloud Scheduler: whoever is due is looked at within minutes."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from kupyterhub_cli.doctor.finding import Finding
from kupyterhub_cli.ports import Users

PATIENCE = timedelta(minutes=5)
LONG = timedelta(hours=1)
SAMPLE = 300
# A look at somebody new takes seconds, and a cold start of a function some more.
SETTLING_SECONDS = 5.0
ROUNDS = 4


def access(users: Users) -> Iterator[Finding]:
    """Whether documents can be read, and how many there are."""
    yield Finding("documents", "good", f"{users.count_all()} users")


def looked_at(users: Users, sleep: Callable[[float], None]) -> Iterator[Finding]:
    """Whether on_user_written looks at new documents."""
    new = 0
    for attempt in range(ROUNDS):
        if attempt:
            sleep(SETTLING_SECONDS)
        if (new := users.count_all() - users.count(None)) <= 0:
            yield Finding("function user-written", "good", "every document has been looked at")
            return
    yield Finding(
        "function user-written",
        "bad",
        f"{new} documents were never looked at",
        "Here: read .kupyterhub/logs/functions.log and bridge.log. "
        "In the cloud: gcloud functions describe kupyterhub-user-written, and its logs.",
    )


def due(users: Users, now: datetime) -> Iterator[Finding]:
    """Whether resync and reconcile-user do their work.

    A look that finds nothing new leaves who is Provisioning or Waiting due, so they count only when that is long ago.
    """
    for document in users.due(now - PATIENCE, SAMPLE):
        at, phase = document.status.get("nextLookAt"), document.said("phase")
        patience = LONG if phase == "Provisioning" else PATIENCE
        if phase != "Waiting" and isinstance(at, datetime) and now - at > patience:
            yield Finding(
                "functions resync and reconcile-user",
                "bad",
                f"{document.label} has been due for {int((now - at).total_seconds() // 60)} minutes",
                "Functions or Cloud Scheduler do not run. Here: .kupyterhub/logs/bridge.log. In the cloud: "
                "gcloud scheduler jobs list, and the logs of kupyterhub-resync and kupyterhub-reconcile-user.",
            )
            return
    yield Finding("functions resync and reconcile-user", "good", "nobody waits for a look")


def settings(users: Users) -> Iterator[Finding]:
    """Whether new settings wait for somebody to say that they are meant."""
    said = users.policy()
    if said.get("given") is not False:
        yield Finding("settings", "good", "nobody is kept from being stopped by new ones")
        return
    yield Finding(
        "settings",
        "bad",
        f"new ones would stop {said.get('stops')} of {said.get('running')} who run, so they stop nobody",
        'Mend allowedEmails, or set limits.stoppedBySettings to 1 if it is meant. Then publish {"mode": "all"} to '
        "resync, which a deploy and kupyterhub up do by themselves (docs/day-two.md).",
    )


def trouble(users: Users) -> Iterator[Finding]:
    """Whoever needs a person, by the reason."""
    for phase, advice in (
        ("Rejected", "Each says what to mend: kupyterhub users list --phase Rejected"),
        (
            "Failed",
            "Read why: kupyterhub users list --phase Failed, and kupyterhub logs USER; docs/users.md has the reasons",
        ),
    ):
        number = users.count(phase)
        why = _reasons(users, phase) if number else ""
        yield Finding(f"users {phase}", "bad" if number else "good", f"{number}{why}", advice if number else "")


def _reasons(users: Users, phase: str) -> str:
    page = users.page(phase=phase, trigram=None, after=None, limit=SAMPLE)
    counted = Counter(reason for document in page.documents if (reason := document.said("reason")))
    told = ", ".join(f"{reason} {number}" for reason, number in counted.most_common())
    return f" ({f'of the first {SAMPLE}: ' if page.next else ''}{told})" if told else ""
