"""What a page and the shim say to each other."""

import json
from typing import Any

import pytest

from kupyterhub_agent.shim.messages import (
    BadMessage,
    Closing,
    Message,
    closing,
    encoded,
    session_id,
    session_messages,
)


def sent(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "message", [Message(binary=False, data="grüße".encode()), Message(binary=True, data=bytes(range(256)))]
)
def test_a_message_comes_back_as_it_went(message: Message) -> None:
    assert session_messages(sent([{"id": "1", "msg": encoded(message)}])) == [("1", message)]


def test_bytes_are_a_list_of_one_text_as_google_has_it() -> None:
    assert encoded(Message(binary=True, data=b"\xff\xfe")) == ["//4="]


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert session_messages(b'[{"id": "1", "msg": "a\\ud800"}]') == [
        ("1", Message(binary=False, data="a\ufffd".encode()))
    ]


def test_text_that_is_no_utf_8_is_shown() -> None:
    assert encoded(Message(binary=False, data=b"a\xff")) == "a\ufffd"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", sent({}), sent([1]), sent([{"id": "1"}]), sent([{"id": 1, "msg": "a"}]),
     sent([{"id": "1", "msg": ["a", "b"]}]), sent([{"id": "1", "msg": ["%"]}]), b"\xff"],
)  # fmt: skip
def test_other_forms_of_messages_are_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        session_messages(body)


@pytest.mark.parametrize("body", [b"", sent([]), sent({"id": 1}), sent("1")])
def test_other_forms_of_sessions_are_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        session_id(body)


def test_a_page_says_how_it_closes() -> None:
    assert closing(sent({"id": "1", "code": 4321, "reason": "done"})) == Closing(4321, "done")
    assert closing(sent({"id": "1"})) == Closing(1000, "")


@pytest.mark.parametrize(
    "how",
    [{"code": 1001, "reason": ""}, {"code": 5000, "reason": ""}, {"code": 1000, "reason": "ä" * 62}, {"code": "x"}],
)
def test_a_page_may_close_as_a_websocket_of_its_own_would(how: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        closing(sent({"id": "1", **how}))
