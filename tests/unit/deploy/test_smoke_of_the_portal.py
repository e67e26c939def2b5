"""Whether the portal asks who one is, as a try of a release looks at it."""

from collections.abc import Iterator

import pytest
from kupyterhub_smoke import portal
from kupyterhub_smoke.portal import Answer
from kupyterhub_smoke.ports import SmokeError
from kupyterhub_smoke.trying import Clock

URL = "https://portal.example.com"
SIGN_IN = Answer(302, "https://accounts.google.com/o/oauth2/v2/auth?client_id=1")


def _look(answers: Iterator[Answer]) -> list[str]:
    said: list[str] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    portal.look(URL, said.append, lambda _: next(answers), Clock(lambda: now[0], sleep))
    return said


@pytest.mark.parametrize("answer", [SIGN_IN, Answer(303, "https://id.example.com/auth"), Answer(401, "")])
def test_a_portal_that_asks_who_one_is_passes(answer: Answer) -> None:
    assert _look(iter([answer])) == [f"{URL}: asks who one is"]


@pytest.mark.parametrize("answer", [Answer(200, ""), Answer(303, f"{URL}/people"), Answer(303, "/people")])
def test_one_that_lets_anybody_in_fails_it_at_once(answer: Answer) -> None:
    with pytest.raises(SmokeError, match=f"should ask who one is, and answers {answer.status}"):
        _look(iter([answer]))


def test_a_new_load_balancer_is_waited_for() -> None:
    assert _look(iter([Answer(404, ""), Answer(502, ""), SIGN_IN])) == [f"{URL}: asks who one is"]


def test_errors_that_stay_fail_it() -> None:
    with pytest.raises(SmokeError, match="answers 502"):
        _look(iter([Answer(502, "")] * 1000))


def test_a_name_that_leads_to_the_notebooks_server_yet_is_told() -> None:
    (said,) = _look(iter([Answer(421, "")]))
    assert said.startswith(f"{URL}: not reached (the wildcard leads to the notebooks' server)")


def test_a_name_that_leads_nowhere_yet_is_told() -> None:
    def unknown(_: str) -> Answer:
        raise OSError("Name or service not known")

    said: list[str] = []
    portal.look(URL, said.append, unknown)
    assert said[0].startswith(f"{URL}: not reached (Name or service not known)")
