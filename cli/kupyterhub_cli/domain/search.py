"""Searching by a part: `status.terms` holds the trigrams of each user's e-mail and name.

Firestore is asked for one trigram; the rest is compared here.
"""

from kupyterhub_cli.domain.documents import Document

SHORTEST = 3


def trigram(part: str) -> str:
    """The trigram to ask for: the first, since what people type ends with what all share, such as @example.com."""
    return part.lower()[:SHORTEST]


def matches(document: Document, part: str) -> bool:
    """Whether e-mail or name of a user holds `part`, in upper or lower case."""
    wanted = part.lower()
    return any(wanted in document.text(name).lower() for name in ("email", "displayName"))
