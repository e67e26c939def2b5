"""A pasted list of people: one on a line with a name, or e-mails with anything usual between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kupyterhub_rules.names import normalise_email

MOST = 1000
TOO_MANY = (
    f"At most {MOST:,} people can be pasted at a time, and nobody was added. "
    "The command kupyterhub users import takes a file of any length."
)
_WORD = re.compile(r"[^\s,;]+")
_AROUND = " \t,;<>\"'"
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
    for word, name in (found for line in text.splitlines() for found in _found(line)):
        if email := _email(word):
            newcomers.setdefault(email, Newcomer(email, name.strip(_AROUND)[:_MAX_NAME]))
        else:
            refused[word] = None
    return Pasted(tuple(newcomers.values()), tuple(refused))


def _found(line: str) -> Iterator[tuple[str, str]]:
    """Each e-mail, or what stands in the place of one, with the name before it."""
    before, *parts = line.split("<")
    for part in parts:
        address, closed, after = part.partition(">")
        if not closed:
            yield from _words(before)
            before = part
            continue
        name = before
        for word in _WORD.finditer(before):
            if _email(word[0]):
                yield word[0], ""
                name = before[word.end() :]
        yield address, name
        before = after
    yield from _words(before)


def _words(text: str) -> Iterator[tuple[str, str]]:
    return ((word, "") for word in _WORD.findall(text))


def _email(word: str) -> str | None:
    return normalise_email(word.strip(_AROUND))
