"""`delete-user`: write into each document of that person that it is to be deleted, and look at it."""

from dataclasses import dataclass, replace

from kupyterhub.domain.claims import still_counts
from kupyterhub.domain.errors import DocumentChanged, DocumentRefused, TransientError
from kupyterhub.domain.policy import email_of, has_ended
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub.events import Deletion, Look
from kupyterhub.ports import Record
from kupyterhub.reconcile import ATTEMPTS, Outcome, Reconciler
from kupyterhub_rules.names import base_name, document_id


@dataclass(frozen=True)
class Removal:
    """Carries out `delete-user`; a late or second message never deletes a person who was enrolled again."""

    reconciler: Reconciler

    def delete(self, deletion: Deletion) -> list[Outcome]:
        """Delete the person that a message names; raises TransientError for another delivery."""
        documents = self._documents(deletion)
        outcomes = [self._delete(document, deletion) for document in documents]
        try:
            return outcomes or [self._nobody(deletion)]
        except DocumentChanged as e:
            raise TransientError(f"delete-user: {e} changed in the middle; it is looked at again") from e

    def _documents(self, deletion: Deletion) -> list[UserDocument]:
        users = self.reconciler.users
        if deletion.user is not None:
            document = users.get(deletion.user)
            return [document] if document else []
        email = deletion.email or ""
        derived = users.get(document_id(email))
        found = [*users.with_status_email(email), *users.with_email(email), *([derived] if derived else [])]
        return list({d.id: d for d in found if email_of(d) == email}.values())

    def _delete(self, document: UserDocument, deletion: Deletion) -> Outcome:
        current: UserDocument | None = document
        for _ in range(ATTEMPTS):
            if current is None or self._is_late(deletion, current):
                return self.reconciler.reconcile(Look(document.id, event=deletion.event))
            try:
                asked = (("state", "deleted"), *((("purge", True),) if deletion.purge else ()))
                status = replace(current.status, deletedAt=deletion.published)
                self.reconciler.users.write(current, Record(status, fields=asked))
                return self.reconciler.reconcile(Look(document.id, event=deletion.event))
            except DocumentChanged:
                current = self.reconciler.users.get(document.id)
            except DocumentRefused as e:
                return Outcome(document.id, None, f"delete-user: {e}", reason="DocumentRefused")
        raise TransientError(f"users/{document.id} changed {ATTEMPTS} times while it was to be deleted")

    def _nobody(self, deletion: Deletion) -> Outcome:
        who = deletion.user or deletion.email or ""
        if not (deletion.purge and deletion.email):
            return Outcome(who, None, "delete-user: there is no such user")
        purger = self.reconciler.purger
        if purger.counting(deletion.email, self.reconciler.clock()):
            raise TransientError(
                f"delete-user: a document with {deletion.email} was just written; it is looked at again"
            )
        name, now, users = base_name(deletion.email), self.reconciler.clock(), self.reconciler.users
        runs_for = purger.runs_for(name)
        if runs_for and users.get(runs_for):
            return Outcome(
                who, None, f"delete-user: the notebooks stay: the document {runs_for!r} still runs on them"
            )
        claim = users.purge_for_nobody(name, now, lambda claim, holder: still_counts(claim, holder, now))
        if claim is None or not purger.gone(claim):
            raise TransientError(
                f"delete-user: the notebooks of {deletion.email} are still in use, or too many to go at once; "
                "they go at a later try"
            )
        users.release(claim, lambda _: False)
        self.reconciler.names.tell([], waiting=deletion.email)
        return Outcome(who, None, "delete-user: there is no such user; the notebooks are purged")

    def _is_late(self, deletion: Deletion, document: UserDocument) -> bool:
        """Whether a message was published before the person was enrolled (again), or has been carried out already."""
        status, published, email = document.status, deletion.published, email_of(document)
        users = self.reconciler.users
        since = status.emailSince if status.email == email else None
        carried_out = status.deletedAt is not None and published <= status.deletedAt
        if carried_out or published < (since or document.create_time):
            return True
        if has_ended(document, self.reconciler.clock()):
            return False
        if status.deletedAt is None and deletion.event and users.has_seen(document.id, deletion.event):
            # The document was overwritten since it was carried out.
            return True
        # Enrolled again, or with another e-mail, and not looked at yet: since when, the document of then tells.
        if published >= document.update_time:
            return False
        if then := users.get(document.id, at=published):
            overwritten = status == Status() != then.status
            return overwritten or has_ended(then, published) or email_of(then) != email
        return since is None
