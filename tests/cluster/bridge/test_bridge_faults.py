import json
import signal
from base64 import b64decode

from google.cloud.firestore import Client
from google.events.cloud.firestore import DocumentEventData

from cluster.bridge.rig import Bridge, Call, Functions, eventually

WRITTEN = "on_user_written"


def document(call: Call) -> str:
    return str(DocumentEventData.deserialize(call.body).value.name).rsplit("/", 1)[1]


async def test_events_are_delivered_when_the_functions_are_back(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    await functions.stop()
    for n in range(5):
        documents.document(f"users/{n}").set({})
    await eventually(lambda: bridge.stored() == 5)
    await functions.start()
    await eventually(lambda: bridge.stored() == 0)

    assert {document(call) for call in functions.of(WRITTEN)} == set("01234")


async def test_an_event_that_failed_comes_again_as_it_was_and_holds_up_no_other(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    functions.status = lambda call: 500 if document(call) == "bad" and len(functions.calls) < 3 else 200
    documents.document("users/bad").set({})
    documents.document("users/good").set({})
    await eventually(lambda: bridge.stored() == 0 and len(functions.calls) == 3)

    first, other, again = functions.calls
    assert [document(first), document(other)] == ["bad", "good"]
    assert (again.headers, again.body) == (first.headers, first.body)
    assert again.at - first.at > 0.4


async def test_a_bridge_killed_between_receipt_and_delivery_loses_nothing(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    functions.status = lambda _: None
    for n in range(20):
        documents.document(f"users/{n}").set({})
    await eventually(lambda: bridge.stored() == 20 and len(functions.calls) == 8)
    bridge.end(signal.SIGKILL)
    functions.status = lambda _: 200
    functions.calls.clear()
    await bridge.start()
    await eventually(lambda: bridge.stored() == 0)

    assert sorted(document(call) for call in functions.of(WRITTEN)) == sorted(map(str, range(20)))


async def test_a_bridge_that_was_away_has_everybody_looked_at(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    bridge.end(signal.SIGKILL)
    documents.document("users/missed").set({})
    await bridge.start()

    await eventually(lambda: len(functions.of("on_resync")) == 1)
    assert b64decode(json.loads(functions.of("on_resync")[0].body)["message"]["data"]) == b'{"mode": "all"}'


async def test_a_bridge_that_is_stopped_ends_well_and_keeps_what_is_not_delivered(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    await functions.stop()
    documents.document("users/a").set({})
    await eventually(lambda: bridge.stored() == 1)

    assert bridge.end(signal.SIGTERM) == 0
    assert bridge.stored() == 1
