"""What a check found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from kupyterhub_cli.errors import Refusal

Verdict = Literal["good", "bad", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do where it is not good."""

    what: str
    verdict: Verdict
    detail: str
    advice: str = ""


Check = Callable[[], Iterator[Finding]]


def looked(what: str, check: Check) -> Iterator[Finding]:
    """The findings of a check; that it could not be made is one, too."""
    try:
        yield from check()
    except Refusal as refusal:
        yield Finding(what, "bad", "could not be looked at", str(refusal))
