"""What people, their programs and administrators do to documents. Each act says what it is when it is printed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from histories.acts import Act
from histories.stage import Stage
from kupyterhub_rules.names import base_name, document_id
from twins.users import REMOVED
from twins.world import ADA, BOB

DERIVED = document_id(ADA)
USERS = ("a", "b", DERIVED)
EMAILS = (ADA, BOB, "Ada@Example.com", "eve@elsewhere.org")
PROPER = (ADA, BOB)
NAMES = tuple(map(base_name, PROPER))
VALUES: dict[str, tuple[Any, ...]] = {
    "email": (*EMAILS, None, "ada at example.com", 7),
    "state": ("running", "stopped", "deleted", None, "resting", 7),
    "profile": ("default", "big", None, "bgi", 7),
    "image": (None, "registry.example/big:2", "evil", 7),
    "displayName": ("Ada", None, "A" * 201, 7),
    "restart": (True, None, False, "yes"),
    "purge": (True, None, "yes"),
    "status": (None, REMOVED, {}, "Ready"),
}
FOREVER = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
ENDS: dict[str, Any] = {
    "long ago": timedelta(days=-30),
    "just now": timedelta(0),
    "in 20 seconds": timedelta(seconds=20),
    "in 10 minutes": timedelta(minutes=10),
    "in 3 hours": timedelta(hours=3),
    "in 40 days": timedelta(days=40),
    "at the end of time": FOREVER,
    "never": None,
    "at zero": datetime(1970, 1, 1, tzinfo=UTC),
    "as text": "tomorrow",
}


@dataclass(frozen=True)
class Enrol:
    """Create a document, or give it another e-mail."""

    user: str
    email: str

    def do(self, stage: Stage) -> None:
        stage.users.set(self.user, email=self.email)


@dataclass(frozen=True)
class Edit:
    """Set one field to whatever."""

    user: str
    field: str
    value: Any

    def do(self, stage: Stage) -> None:
        if self.field == "status":
            stage.watch.status_taken(self.user)
        if self.user in stage.users.ids() or self.value is not REMOVED:
            stage.users.set(self.user, **{self.field: self.value})


@dataclass(frozen=True)
class Expire:
    """Set `expiresAt`."""

    user: str
    ends: str

    def do(self, stage: Stage) -> None:
        when = ENDS[self.ends]
        stage.users.set(self.user, expiresAt=stage.clock() + when if isinstance(when, timedelta) else when)


@dataclass(frozen=True)
class Overwrite:
    """Write the document whole, and with it take its status away."""

    user: str
    email: str

    def do(self, stage: Stage) -> None:
        stage.watch.status_taken(self.user)
        stage.users.overwrite(self.user, email=self.email)


@dataclass(frozen=True)
class Swap:
    """Give two documents each other's e-mail."""

    one: str
    other: str

    def do(self, stage: Stage) -> None:
        if {self.one, self.other} <= set(stage.users.ids()):
            emails = [stage.users.peek(user).fields.get("email") for user in (self.one, self.other)]
            stage.users.set(self.one, email=emails[1])
            stage.users.set(self.other, email=emails[0])


@dataclass(frozen=True)
class Purge:
    """Delete somebody with their storage, by the document."""

    user: str

    def do(self, stage: Stage) -> None:
        stage.users.set(self.user, state="deleted", purge=True)


@dataclass(frozen=True)
class Remove:
    """Delete the document."""

    user: str

    def do(self, stage: Stage) -> None:
        stage.users.remove(self.user)


@dataclass(frozen=True)
class DeleteUser:
    """Publish `delete-user`."""

    email: str | None
    user: str | None
    purge: bool

    def do(self, stage: Stage) -> None:
        if self.purge:
            document = stage.users.peek(self.user) if self.user in stage.users.ids() else None
            emails = (
                [self.email] if self.email else [document.wishes.email, document.status.email] if document else []
            )
            stage.watch.purges.update(base_name(email.lower()) for email in emails if email)
        stage.publish_delete_user(email=self.email, user=self.user, purge=self.purge)


@dataclass(frozen=True)
class Restore:
    """Put back documents, `names`, or both, as they were some moments ago."""

    what: Literal["documents", "names", "both"]
    ago: int

    def do(self, stage: Stage) -> None:
        then = stage.moments[-min(self.ago, len(stage.moments))]
        users = stage.users
        for user in USERS if self.what != "names" else ():
            if user in then.documents:
                stage.watch.status_taken(user)
                users._put(user, then.documents[user].fields)
                stage.watch.restored(user, then.documents[user].create_time)
        for name in NAMES if self.what != "documents" else ():
            if name in then.claims:
                stage.watch.give_reason(name)
                users._last = users._next_time()
                users._claims[name] = replace(then.claims[name], update_time=users._last)


@dataclass(frozen=True)
class LoseName:
    """Lose who holds a name, as in a restore without `names`."""

    name: str

    def do(self, stage: Stage) -> None:
        stage.watch.claim_lost(self.name)
        stage.users.lose_claim(self.name)


@dataclass(frozen=True)
class EditName:
    """Write by hand who holds a name."""

    name: str
    user: str

    def do(self, stage: Stage) -> None:
        stage.watch.give_reason(self.name)
        stage.users.put_claim(self.name, self.user)


def _edits() -> st.SearchStrategy[Act]:
    users = st.sampled_from(USERS)
    return st.one_of(
        *(st.builds(Edit, users, st.just(field), st.sampled_from(values)) for field, values in VALUES.items())
    )


def enrolments() -> st.SearchStrategy[Act]:
    """What makes people start."""
    users, emails = st.sampled_from(USERS), st.sampled_from(EMAILS)
    return st.one_of(st.builds(Enrol, users, emails), st.builds(Edit, users, st.just("state"), st.just("running")))


def edits() -> st.SearchStrategy[Act]:
    """What people do to documents by hand or by program."""
    users, emails = st.sampled_from(USERS), st.sampled_from(EMAILS)
    return st.one_of(
        _edits(),
        st.builds(Expire, users, st.sampled_from(sorted(ENDS))),
        st.builds(Overwrite, users, emails),
        st.builds(Swap, users, users),
    )


def ends() -> st.SearchStrategy[Act]:
    """What ends somebody for good."""
    users, emails = st.sampled_from(USERS), st.sampled_from(PROPER)
    return st.one_of(
        st.builds(Purge, users),
        st.builds(Remove, users),
        st.builds(DeleteUser, emails, st.none(), st.booleans()),
        st.builds(DeleteUser, st.none(), users, st.booleans()),
    )


def repairs() -> st.SearchStrategy[Act]:
    """What administrators do when something went wrong."""
    names, users = st.sampled_from(NAMES), st.sampled_from((*USERS, "nobody"))
    return st.one_of(
        st.builds(Restore, st.sampled_from(("documents", "names", "both")), st.integers(1, 30)),
        st.builds(LoseName, names),
        st.builds(EditName, names, users),
    )
