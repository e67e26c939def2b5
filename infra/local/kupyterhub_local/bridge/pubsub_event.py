"""A push of the Pub/Sub emulator as the CloudEvent that Eventarc makes of it. Pure.

Headers: https://cloud.google.com/eventarc/docs/cloudevents. The body is passed on byte for byte, so that data
and `publishTime` stay exactly what the emulator said.
"""

import json

from kupyterhub_local.bridge.event import Event, MalformedEventError
from kupyterhub_local.bridge.routes import MESSAGE_PUBLISHED


def pubsub_event(function: str, project: str, topic: str, body: bytes) -> Event:
    """Make the event for `function` of one push, the JSON `{"message": {…}, "subscription": …}`.

    Eventarc's `ce-id` is the message's id. The emulator counts its ids from 1 at each start, so here the time
    of publishing is added, and a push that is repeated still has the same id. Raises MalformedEventError.
    """
    try:
        message = json.loads(body)["message"]
        message_id, publish_time = str(message["messageId"]), str(message["publishTime"])
    except (ValueError, KeyError, TypeError) as e:
        raise MalformedEventError("the push is no JSON with message.messageId and message.publishTime") from e
    return Event(
        function=function,
        headers={
            "ce-specversion": "1.0",
            "ce-id": f"{message_id}-{publish_time}",
            "ce-type": MESSAGE_PUBLISHED,
            "ce-source": f"//pubsub.googleapis.com/projects/{project}/topics/{topic}",
            "ce-time": publish_time,
            "content-type": "application/json",
        },
        body=body,
    )
