"""The Firestore emulator's event, repaired to what Eventarc sends. Pure.

Seen in the emulator of June 2025: the body is base64, `ce-source` says `projects/projects/<project>`, and
`ce-datacontenttype` repeats what binary mode says as Content-Type. Names of documents are in `ce-subject` and
`ce-document` as raw UTF-8, as Eventarc sends them too (firebase/firebase-functions-python#220): they are
passed on so, and functions take the document's name from the payload.
"""

import base64
import binascii
from collections.abc import Mapping

from kupyterhub_local.bridge.event import Event, MalformedEventError
from kupyterhub_local.bridge.routes import WRITTEN

_KEPT = (
    "ce-specversion",
    "ce-id",
    "ce-type",
    "ce-subject",
    "ce-time",
    "ce-dataschema",
    "ce-location",
    "ce-project",
    "ce-database",
    "ce-namespace",
    "ce-document",
)


def firestore_event(function: str, project: str, headers: Mapping[str, str], body: bytes) -> Event:
    """Make the event for `function` of one request of the emulator, whose header names are in lower case.

    The body becomes a `google.events.cloud.firestore.v1.DocumentEventData`. Raises MalformedEventError if an
    attribute is missing or the type is another.
    """
    missing = [name for name in _KEPT if name not in headers]
    if missing:
        raise MalformedEventError(f"the event has no {', '.join(missing)}")
    if headers["ce-type"] != WRITTEN:
        raise MalformedEventError(f"the event's type is {headers['ce-type']}, not {WRITTEN}")
    kept = {name: headers[name] for name in _KEPT}
    source = f"//firestore.googleapis.com/projects/{project}/databases/{headers['ce-database']}"
    return Event(
        function=function,
        headers={**kept, "ce-source": source, "content-type": "application/protobuf"},
        body=_protobuf(body),
    )


def _protobuf(body: bytes) -> bytes:
    """Decode base64, or leave bytes that are protobuf already, as an emulator may send that was mended.

    The two cannot be mixed up: the message starts with the tag of field 1 or 2 (0x0A, 0x12), and neither byte
    is in base64's alphabet.
    """
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return body
