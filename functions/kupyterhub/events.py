"""From a decoded event to where to look; pure. An event only says "look at this user again"."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StrictBool, ValidationError
from pydantic.alias_generators import to_camel

from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.errors import BadMessage
from kupyterhub_rules.names import normalise_email

_MAX_ID_BYTES = 1500


@dataclass(frozen=True)
class Look:
    """A user to look at, and hints from the event about where to look as well."""

    user: str
    thoroughly: bool = False
    """Nothing that was noted is to be relied on: objects may have other names, or have been changed by others."""
    email: str | None = None
    """The e-mail of a document that was deleted."""
    announcement: Announcement | None = None
    event: str | None = None
    """What caused the look, for the history: the function and the event's id."""


@dataclass(frozen=True)
class DocumentWrite:
    """A Firestore event: the fields before and after, encoded, without those that say nothing; None: no document.

    That are those that are null, and a status that is no map, or an empty one: it was not written here.
    """

    user: str
    old: Mapping[str, bytes] | None
    new: Mapping[str, bytes] | None
    old_email: str | None = None


@dataclass(frozen=True)
class Message:
    """A Pub/Sub message."""

    data: bytes
    published: datetime


@dataclass(frozen=True)
class Deletion:
    """What a `delete-user` message asks for: one of `email` (lower-case) and `user` is given."""

    published: datetime
    email: str | None = None
    user: str | None = None
    purge: bool = False
    event: str | None = None
    """What caused it, for the history."""


def look_of_write(write: DocumentWrite) -> Look | None:
    """Where a write of a document asks to look; None for the echo of a status that was written here.

    An echo is told by what the write changed, never by the update mask, which Firestore fills for updates only.
    """
    if write.new is None:
        return Look(write.user, email=write.old_email)
    if write.old is None:
        return Look(write.user)
    took_status_away = "status" in write.old and "status" not in write.new
    return None if _asked(write.old) == _asked(write.new) and not took_status_away else Look(write.user)


def look_of_agent_event(message: Message) -> Look:
    """Where an agent's announcement asks to look; raises BadMessage."""
    event = _parse(_AgentEvent, _json(message.data), "agent-events")
    announcement = Announcement(**event.model_dump())
    return Look(event.user, announcement=announcement)


def look_of_reconcile_user(message: Message) -> Look:
    """The user that a `reconcile-user` message names; raises BadMessage."""
    asked = _parse(_ReconcileUser, _json(message.data), "reconcile-user")
    return Look(asked.user, thoroughly=asked.thoroughly)


def resync_mode(message: Message) -> Literal["due", "all"]:
    """What a `resync` message asks for; raises BadMessage."""
    return _parse(_Resync, _json(message.data), "resync").mode


def deletion_of(message: Message) -> Deletion:
    """What a `delete-user` message asks for: JSON, or just the e-mail as text; raises BadMessage."""
    typed = _typed_email(message.data)
    asked = {"email": typed} if typed else _json(message.data)
    request = _parse(_DeleteUser, {"email": asked} if isinstance(asked, str) else asked, "delete-user")
    if (request.email is None) == (request.user is None):
        raise BadMessage('delete-user: give either {"email": "…"} or {"user": "<document id>"}')
    email = normalise_email(request.email) if request.email is not None else None
    if request.user is None and email is None:
        raise BadMessage("delete-user: email: is no e-mail address")
    return Deletion(message.published, email=email, user=request.user, purge=request.purge)


def is_document_id(text: str) -> bool:
    """Whether a document of Firestore can be called so.

    https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
    """
    wrong = text in {"", ".", ".."} or "/" in text or (text.startswith("__") and text.endswith("__"))
    return not wrong and len(text.encode()) <= _MAX_ID_BYTES


def _checked_id(text: str) -> str:
    if not is_document_id(text):
        raise ValueError("is no id of a Firestore document")
    return text


UserId = Annotated[str, AfterValidator(_checked_id)]


class _Body(BaseModel):
    # More fields than are known here may come with a later version of a sender.
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class _AgentEvent(_Body):
    type: Literal["registered", "idle", "lost"]
    user: UserId
    name: str
    instance: str
    proxy_url: str
    registered_at: AwareDatetime
    last_activity: AwareDatetime | None = None
    sent_at: AwareDatetime


class _ReconcileUser(_Body):
    user: UserId
    thoroughly: bool = False


class _Resync(_Body):
    mode: Literal["due", "all"]


class _DeleteUser(_Body):
    email: str | None = None
    user: UserId | None = None
    # "yes" for one is no word for what cannot be undone.
    purge: StrictBool = False


_Model = TypeVar("_Model", bound=_Body)


def _asked(fields: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: value for name, value in fields.items() if name != "status"}


def _typed_email(data: bytes) -> str | None:
    """What a person types after `gcloud pubsub topics publish delete-user --message`, as it was typed."""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return None
    return text if normalise_email(text) else None


def _json(data: bytes) -> Any:
    if not data.strip():
        raise BadMessage("the message is empty")
    try:
        return json.loads(data.decode())
    except UnicodeDecodeError as e:
        raise BadMessage("the message is not UTF-8") from e
    except (json.JSONDecodeError, RecursionError) as e:
        raise BadMessage("the message is not JSON") from e


def _parse(model: type[_Model], body: Any, topic: str) -> _Model:
    try:
        return model.model_validate(body)
    except ValidationError as e:
        wrong = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'the message'}: {error['msg']}"
            for error in e.errors(include_input=False, include_url=False)
        )
        raise BadMessage(f"{topic}: {wrong}") from e
