"""Pasted lists, choices of profiles, searches, and how often one may ask."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from kupyterhub import settings as files
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain import pasted, searching
from kupyterhub_portal.domain.choices import all_choices, current, own_choices
from kupyterhub_portal.domain.pasted import Newcomer
from kupyterhub_portal.limits import Limit
from kupyterhub_portal.pages import local_path

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = files.parse(
    """
domain: localhost:1
allowedEmails: ["*"]
images: {agent: a, jupyterlab: j}
profiles:
  big: {images: ["r/big:1", "r/big:2"], allowed: ["*@Example.com"]}
  one: {images: ["r/one:1"], allowed: ["*@example.com"]}
  default: {}
  gpu: {}
"""
)


def document(**fields: Any) -> UserDocument:
    return UserDocument("u", fields, NOW, NOW)


@pytest.mark.parametrize(
    ("text", "newcomers", "refused"),
    [
        pytest.param("a@x.org, b@x.org;c@x.org\td@x.org\r\n", "a b c d", [], id="anything between them"),
        pytest.param("A@X.org a@x.org", "a", [], id="twice"),
        pytest.param("a@x.org nobody, @x.org", "a", ["nobody", "@x.org"], id="some are none"),
        pytest.param("", "", [], id="nothing"),
        pytest.param("<a@x.org>, 'b@x.org'", "a b", [], id="brackets and quotes"),
    ],
)
def test_a_list_is_read(text: str, newcomers: str, refused: list[str]) -> None:
    found = pasted.read(text)
    assert [newcomer.email for newcomer in found.newcomers] == [f"{name}@x.org" for name in newcomers.split()]
    assert list(found.refused) == refused


@pytest.mark.parametrize("line", ["Ada King <a@x.org>", '"Ada King" <a@x.org>,', "  Ada King   <A@x.org>;"])
def test_a_line_may_have_a_name(line: str) -> None:
    assert pasted.read(line).newcomers == (Newcomer("a@x.org", "Ada King"),)


@pytest.mark.parametrize(
    ("line", "newcomers", "refused"),
    [
        pytest.param(
            "Ada King <a@x.org>, Bob <b@x.org>; c@x.org", "Ada King=a Bob=b =c", "", id="several with names"
        ),
        pytest.param("a@x.org, b@x.org; Ada <c@x.org>", "=a =b Ada=c", "", id="some without"),
        pytest.param(
            '"King, Ada" <a@x.org>; King, Bob <b@x.org>', "King, Ada=a King, Bob=b", "", id="family name first"
        ),
        pytest.param("Ada <nobody> b@x.org", "=b", "nobody", id="no address in the brackets"),
        pytest.param("a@x.org <b@x.org", "=a =b", "", id="a bracket that is not closed"),
    ],
)
def test_a_line_may_hold_several_people(line: str, newcomers: str, refused: str) -> None:
    found = pasted.read(line)
    assert " ".join(f"{each.name}={each.email.removesuffix('@x.org')}" for each in found.newcomers) == newcomers
    assert " ".join(found.refused) == refused


@pytest.mark.parametrize("text", [" ", "<", "a ", "a@x.org ", "<a", "\"' <", ",", ">"], ids=repr)
def test_no_line_takes_long_to_read(text: str) -> None:
    start = time.process_time()
    pasted.read(text * (200_000 // len(text)))
    assert time.process_time() - start < 2


def test_everything_can_be_given_and_the_default_is_first() -> None:
    assert [choice.value for choice in all_choices(SETTINGS)] == [
        "default",
        "big",
        "big r/big:1",
        "big r/big:2",
        "gpu",
        "one",
    ]


@pytest.mark.parametrize(
    ("email", "fields", "profiles"),
    [
        pytest.param("a@example.com", {}, {"default", "big", "one"}, id="allowed"),
        pytest.param("a@x.org", {}, {"default"}, id="not allowed"),
        pytest.param("a@x.org", {"profile": "gpu"}, {"default", "gpu"}, id="given by an administrator"),
        pytest.param("a@x.org", {"profile": ["gpu"]}, {"default"}, id="nonsense"),
    ],
)
def test_a_person_chooses_among_what_is_theirs(email: str, fields: dict[str, Any], profiles: set[str]) -> None:
    assert {choice.profile for choice in own_choices(SETTINGS, email, document(**fields))} == profiles


def test_a_choice_is_shown_without_its_registry() -> None:
    assert current(document(profile="big", image="r/big:2")).label == "big: big:2"


@pytest.mark.parametrize(
    ("part", "trigram"), [("student042", "042"), ("Lovelace", "lov"), ("a@example.com", "a@e"), ("abc", "abc")]
)
def test_a_search_asks_for_what_few_share(part: str, trigram: str) -> None:
    assert searching.trigram(part) == trigram


def test_one_who_asks_without_end_waits_and_others_do_not() -> None:
    now = [0.0]
    limit = Limit(burst=3, per_second=0.5, monotonic=lambda: now[0])
    assert [limit.allows("ada") for _ in range(4)] == [True, True, True, False]
    assert limit.allows("eve")
    now[0] += 2
    assert [limit.allows("ada") for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("text", "path"),
    [("/people?part=a", "/people?part=a"), ("//evil", "/"), ("/\\evil", "/"), ("https://evil", "/"), ("/\n", "/")],
)
def test_only_a_path_is_returned_to(text: str, path: str) -> None:
    assert local_path(text) == path
