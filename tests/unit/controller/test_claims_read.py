"""Claims as Firestore has them: anybody may have written one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from kupyterhub.adapters.user_store import _claim

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UPDATED = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class Snapshot:
    """One document of `names`."""

    stored: dict[str, Any]
    id: str = "ada"
    exists: bool = True
    update_time: datetime = UPDATED

    def to_dict(self) -> dict[str, Any]:
        return self.stored


@pytest.mark.parametrize("user", [None, 5, "a/b", "__x__", ".", "..", "x" * 2000])
def test_a_claim_of_what_can_be_no_document_names_nobody(user: Any) -> None:
    claim = _claim(Snapshot({"user": user, "since": SINCE, "purging": True}))
    assert claim is not None
    assert (claim.user, claim.purging, claim.since) == ("", False, UPDATED)


@pytest.mark.parametrize("user", ["", "u-1"])
def test_a_claim_of_somebody_or_of_nobodys_purge_is_read_as_it_is(user: str) -> None:
    claim = _claim(Snapshot({"user": user, "since": SINCE, "purging": True}))
    assert claim is not None
    assert (claim.user, claim.purging, claim.since) == (user, True, SINCE)
