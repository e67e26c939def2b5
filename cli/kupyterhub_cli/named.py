"""The users that a command line names: by e-mail, by id, several in one word."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.emails import split
from kupyterhub_cli.domain.wishes import chosen
from kupyterhub_cli.errors import NoSuchUser, WrongUsage
from kupyterhub_cli.ports import Users
from kupyterhub_rules.names import normalise_email


@dataclass(frozen=True)
class Named:
    """What was given, and whose document that is; None where there is none."""

    given: str
    email: str | None
    document: Document | None


def find(users: Users, words: Iterable[str]) -> list[Named]:
    """Look up everybody at once; raises WrongUsage where nobody is named."""
    given = list(split(words))
    if not given:
        raise WrongUsage("Name at least one user, by e-mail or by id.")
    emails = {word: email for word in given if (email := normalise_email(word))}
    by_email: dict[str, list[Document]] = defaultdict(list)
    for document in users.by_emails(emails.values()) if emails else ():
        by_email[document.email or ""].append(document)
    # An id may look like an e-mail: programs of others choose theirs.
    by_id = users.by_ids(word for word in given if not by_email.get(emails.get(word, "")))
    return [
        Named(
            word,
            emails.get(word),
            chosen(by_email[emails[word]]) if by_email.get(emails.get(word, "")) else by_id.get(word),
        )
        for word in given
    ]


def require(users: Users, words: Iterable[str]) -> list[Document]:
    """Everybody's document, each once; raises NoSuchUser with all who are missing, before anything is done."""
    found = find(users, words)
    if missing := [each.given for each in found if each.document is None]:
        raise NoSuchUser(
            f"There is no user {', '.join(missing)}. Nothing was done. "
            "`kupyterhub users list PART` searches; `kupyterhub users add` adds."
        )
    return list({each.document.id: each.document for each in found if each.document}.values())
