"""Searching by a part of e-mail or name: Firestore is asked for one trigram, the rest is compared here."""

from kupyterhub.domain.users import UserDocument

SHORTEST = 3


def trigram(part: str) -> str:
    """The trigram to ask for: the last of those with most digits; where there are none, the first.

    What people type often ends with what all share, such as @example.com, and numbers begin with zeros.
    """
    lower = part.lower()
    found = [lower[at : at + SHORTEST] for at in range(len(lower) - SHORTEST + 1)]
    digits = [sum(letter.isdigit() for letter in each) for each in found]
    most = max(digits)
    return found[len(digits) - 1 - digits[::-1].index(most)] if most else found[0]


def matches(document: UserDocument, part: str) -> bool:
    """Whether e-mail or name holds `part`, in upper or lower case."""
    wanted = part.lower()
    texts = (document.fields.get(name) for name in ("email", "displayName"))
    return any(wanted in text.lower() for text in texts if isinstance(text, str))
