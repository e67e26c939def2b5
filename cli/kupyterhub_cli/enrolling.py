"""Adding many: who is there already is found first, then what is missing is written, in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.wishes import Step, Wish, chosen, step
from kupyterhub_cli.ports import Users, Written
from kupyterhub_cli.screen import Advance

TOGETHER = 500


@dataclass(frozen=True)
class Done:
    """A step and what became of its write; None where nothing was to be written."""

    step: Step
    result: Written | None


def plan(users: Users, wishes: Sequence[Wish]) -> list[Step]:
    """Compare wishes with the documents that are there."""
    there: dict[str, list[Document]] = defaultdict(list)
    for document in users.by_emails(wish.email for wish in wishes):
        there[document.email or ""].append(document)
    return [step(wish, chosen(there[wish.email])) for wish in wishes]


def carry_out(users: Users, steps: Iterable[Step], advance: Advance) -> list[Done]:
    """Write what the steps ask for. Killed in between and done again, it ends in the same."""
    kept = [Done(each, None) for each in steps if each.write is None]
    asked = [each for each in steps if each.write is not None]
    done: list[Done] = []
    for start in range(0, len(asked), TOGETHER):
        some = asked[start : start + TOGETHER]
        results = users.write([each.write for each in some if each.write])
        done += [Done(each, result) for each, result in zip(some, results, strict=True)]
        advance.to(len(kept) + len(done))
    return [*done, *kept]
