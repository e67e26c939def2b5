"""Adding many: who is there already is found first, then what is missing is written, in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.wishes import Step, Wish, chosen, counts, step
from kupyterhub_cli.ports import Users, Written
from kupyterhub_cli.screen import Advance
from kupyterhub_rules.names import document_id

TOGETHER = 500


@dataclass(frozen=True)
class Done:
    """A step and what became of its write; None where nothing was to be written."""

    step: Step
    result: Written | None


def plan(users: Users, wishes: Sequence[Wish]) -> list[Step]:
    """Compare wishes with the documents that are there.

    Most are under the id that follows from the e-mail, and are read by it, many at a time. Queries, which are slower,
    are for those who are not, or whose document there does not count: another one may be theirs.
    """
    by_id = users.by_ids(document_id(wish.email) for wish in wishes)
    there: dict[str, list[Document]] = defaultdict(list)
    for wish in wishes:
        if (document := by_id.get(document_id(wish.email))) and counts(document) and document.email == wish.email:
            there[wish.email].append(document)
    if unsure := [wish.email for wish in wishes if not there[wish.email]]:
        for document in users.by_emails(unsure):
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
