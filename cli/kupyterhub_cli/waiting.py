"""`--wait`: looks at documents until the controller's answer to each is there."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.goals import Outcome, outcome
from kupyterhub_cli.session import Session

SHORTEST_SECONDS = 0.5
USERS_PER_SECOND = 200
"""Each look at each user is a read that Google counts."""


Judge = Callable[[str, Document | None], Outcome]
"""Says of an id and its document whether it is where it should be."""


def wait(
    session: Session, users: Sequence[str], within: timedelta, judge: Judge = lambda _, document: outcome(document)
) -> dict[str, tuple[Outcome, Document | None]]:
    """For each id the outcome and the document as it was read last; `pending` where the time was up."""
    deadline = session.clock() + within
    found: dict[str, tuple[Outcome, Document | None]] = dict.fromkeys(users, ("pending", None))
    with session.screen.progress("waiting", len(found)) as advance:
        while pending := [user for user, (result, _) in found.items() if result == "pending"]:
            read = session.users.by_ids(pending)
            for user in pending:
                found[user] = (judge(user, read.get(user)), read.get(user))
            left = sum(result == "pending" for result, _ in found.values())
            advance.to(len(found) - left)
            if session.clock() >= deadline:
                break
            if left:
                session.sleep(max(SHORTEST_SECONDS, left / USERS_PER_SECOND))
    return found
