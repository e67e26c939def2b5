"""Who holds an e-mail: each document that counts says so before it acts, then looks who else does.

Writing before asking is what makes two looks at once safe: at least one of them sees the other.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from kupyterhub.domain.names import base_name
from kupyterhub.domain.policy import Stopped, Verdict, counts_with, duplicate, holder
from kupyterhub.domain.users import UserDocument
from kupyterhub.ports import Bus, Users


@dataclass(frozen=True)
class Emails:
    """Claims and releases of e-mails among documents."""

    users: Users
    bus: Bus

    def claim(
        self, document: UserDocument, verdict: Verdict, email: str, now: datetime
    ) -> tuple[UserDocument, Verdict]:
        """Write that this document counts with the e-mail, then judge who holds it.

        Returns the document's newest version, and the verdict, which is a rejection where another one holds it.
        """
        before = document.status
        if before.email != email or before.emailSince is None:
            since = document.create_time if before.phase is None else document.update_time
            claimed = replace(before, email=email, name=base_name(email), emailSince=since)
            if before.email != email:
                # What was announced is another person's.
                claimed = replace(claimed, proxyUrl=None, agent=None, startedAt=None, lastActivity=None)
            document = self.users.write(document, claimed)
        if before.observed == document.observed and before.email == email and before.reason != "DuplicateEmail":
            return document, verdict
        others = [other for other in self.users.with_status_email(email) if other.id != document.id]
        first = holder(email, [document, *others], now)
        if first is None or first.id == document.id:
            self._tell([other for other in others if _believes_to_hold(other, email, now)])
            return document, verdict
        if first.status.reason == "DuplicateEmail":
            self._tell([first])
        return document, verdict if isinstance(verdict, Stopped) else duplicate(email, first.id)

    def tell_others(self, email: str, document_id: str) -> None:
        """This document no longer counts with the e-mail: let those who wait for it look again."""
        self._tell([other for other in self.users.with_status_email(email) if other.id != document_id])

    def _tell(self, documents: list[UserDocument]) -> None:
        for document in documents:
            self.users.forget_observed(document.id)
        if documents:
            self.bus.ask_to_reconcile(document.id for document in documents)


def _believes_to_hold(document: UserDocument, email: str, now: datetime) -> bool:
    # A stopped one asks again when it starts; until then its status says Stopped, whoever holds the e-mail.
    stopped = document.fields.get("state") == "stopped"
    return counts_with(document, email, now) and not stopped and document.status.reason != "DuplicateEmail"
