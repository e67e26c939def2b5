"""The list of people that administrators see: page by page, searched, and counted."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain import searching
from kupyterhub_portal.domain.place import Place
from kupyterhub_portal.problem import EVERYBODY, Problem
from kupyterhub_portal.store import PHASES, Store

PAGE = 50
# Enough for most searches, and not so many that those of a common trigram are read in vain.
_READ_TOGETHER = 150
_SEARCHED = 3000
"""So many documents are read at most to fill a page of a search."""
_COUNTED_SECONDS = 10.0

log = logging.getLogger("kupyterhub")


@dataclass(frozen=True, slots=True)
class Sought:
    """What a page is of."""

    part: str = ""
    phase: str = ""
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """People by e-mail, and where the next one begins."""

    people: list[UserDocument]
    following: Place | None


class Listing:
    """Reads pages, each when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted: tuple[float, dict[str, int]] | None = None

    def require_seekable(self, sought: Sought) -> None:
        """Raise Problem for what cannot be sought."""
        if sought.phase and sought.phase not in PHASES:
            raise Problem(400, "There is no such state", f"It is one of {', '.join(PHASES)}.", EVERYBODY)
        if sought.part and len(sought.part) < searching.SHORTEST:
            raise Problem(
                400,
                "That is too short to search for",
                f"Give at least {searching.SHORTEST} characters of an e-mail or a name.",
                EVERYBODY,
            )

    def page(self, sought: Sought) -> Page | None:
        """Give one page; None where that fails: half of the answer is under way by then."""
        try:
            return self._search(sought) if sought.part else _page(self._read(sought, sought.after, PAGE + 1))
        except TransientError as error:
            log.warning("the portal could not list people: %s", error)
        except Exception:
            log.exception("a mistake of the portal")
        return None

    def counts(self) -> dict[str, int]:
        """Count people by phase; as it was some seconds ago, so that many who look cost little."""
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > _COUNTED_SECONDS:
            self._counted = (now, self._store.counts())
        return self._counted[1]

    def _search(self, sought: Sought) -> Page:
        found: list[UserDocument] = []
        after, read = sought.after, 0
        while read < _SEARCHED:
            some = self._read(sought, after, _READ_TOGETHER)
            for document in some:
                if searching.matches(document, sought.part):
                    found.append(document)
                if len(found) > PAGE:
                    return _page(found)
                after = Place.after(document)
            if len(some) < _READ_TOGETHER:
                return _page(found)
            read += len(some)
        return Page(by_email(found), after)

    def _read(self, sought: Sought, after: Place | None, limit: int) -> list[UserDocument]:
        if not sought.part and not sought.phase:
            return self._store.everybody(after, limit)
        trigram = searching.trigram(sought.part) if sought.part else ""
        return self._store.sought(phase=sought.phase, trigram=trigram, after=after, limit=limit)


def _page(found: list[UserDocument]) -> Page:
    shown = found[:PAGE]
    return Page(by_email(shown), Place.after(shown[-1]) if len(found) > PAGE else None)


def by_email(documents: Iterable[UserDocument]) -> list[UserDocument]:
    """Put people in the order in which they are shown."""
    return sorted(documents, key=lambda document: (str(document.fields.get("email", "")).lower(), document.id))
