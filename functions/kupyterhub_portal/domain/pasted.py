"""A pasted list of people: one on a line with a name, or e-mails with anything usual between them."""

import re
from dataclasses import dataclass

from kupyterhub.domain.names import normalise_email

MOST = 1000
TOO_MANY = (
    f"At most {MOST:,} people can be pasted at a time, and nobody was added. "
    "The command `kupyterhub users import` takes a file of any length."
)
_NAMED = re.compile(r"""\s*["']?([^<>"]*?)["']?\s*<([^<>]+)>\s*[,;]?\s*""")
_BETWEEN = re.compile(r"[\s,;]+")
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to add."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a list holds: each person once, and what is no e-mail, as it was written."""

    newcomers: tuple[Newcomer, ...]
    refused: tuple[str, ...]


def read(text: str) -> Pasted:
    """Read a list."""
    newcomers: dict[str, Newcomer] = {}
    refused: dict[str, None] = {}
    for line in text.splitlines():
        named = _NAMED.fullmatch(line)
        pairs = [(named[2], named[1])] if named else [(word, "") for word in _BETWEEN.split(line) if word]
        for word, name in pairs:
            if email := normalise_email(word.strip("<>\"'")):
                newcomers.setdefault(email, Newcomer(email, name.strip()[:_MAX_NAME]))
            else:
                refused[word] = None
    return Pasted(tuple(newcomers.values()), tuple(refused))
