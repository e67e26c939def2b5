"""What an agent keeps of sign-outs, to pass it on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kupyterhub_agent.sign_outs import KEPT, SignOuts

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def said(word: str, lasts: timedelta = HOUR) -> dict[str, Any]:
    return {"type": "signedOut", "word": word, "until": (NOW + lasts).isoformat()}


def test_a_word_is_news_once_and_is_passed_on_as_it_came() -> None:
    sign_outs = SignOuts()
    assert sign_outs.take(said("a"))
    assert not sign_outs.take(said("a"))
    assert sign_outs.take(said("b", 2 * HOUR))
    assert sign_outs.messages() == [said("a"), said("b", 2 * HOUR)]


def test_a_session_that_is_over_needs_no_word() -> None:
    sign_outs = SignOuts()
    assert not sign_outs.take(said("a", -HOUR))
    assert sign_outs.messages() == []


def test_they_take_a_bounded_place_and_those_go_that_end_first() -> None:
    sign_outs = SignOuts()
    for number in range(KEPT):
        sign_outs.take(said(str(number), HOUR + timedelta(seconds=number)))
    assert sign_outs.take(said("one more", 24 * HOUR))
    words = [message["word"] for message in sign_outs.messages()]
    assert len(words) == KEPT
    assert "0" not in words
    assert words[-1] == "one more"


@pytest.mark.parametrize("wrong", [{"word": "a"}, {"until": "2026-01-01T00:00:00Z"}, {"word": "a", "until": 1}])
def test_what_lacks_a_field_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        SignOuts().take(wrong)
