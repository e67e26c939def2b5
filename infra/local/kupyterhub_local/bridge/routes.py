"""Which function gets what: the triggers that Terraform makes on Google Cloud."""

from typing import Final

WRITTEN: Final = "google.cloud.firestore.document.v1.written"
MESSAGE_PUBLISHED: Final = "google.cloud.pubsub.topic.v1.messagePublished"

# Documents by path pattern. The trigger's name is the function's.
TRIGGERS: Final = {"on_user_written": "users/{user}"}

# Any document at any depth: only says that a snapshot is due, no function hears of it.
ANY_DOCUMENT: Final = "any_document"
ANY_DOCUMENT_PATTERN: Final = "{document=**}"

TOPICS: Final = {
    "delete-user": "on_delete_user",
    "agent-events": "on_agent_event",
    "resync": "on_resync",
    "reconcile-user": "on_reconcile_user",
}
