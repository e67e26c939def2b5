"""What is shown of people, from documents as Firestore's REST interface gives them."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from kupyterhub_local.users import User, decode, document_id
from kupyterhub_local.view import View, as_of, line

START = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
READY = User("a@example.com", "Ready", "http://a.localhost:1/", registered=START + timedelta(seconds=9), id="u-1")


def document(**fields: Any) -> dict[str, Any]:
    return {"name": "projects/p/databases/(default)/documents/users/u-1", "fields": fields}


def test_a_ready_user_has_a_url() -> None:
    agent = {"mapValue": {"fields": {"registeredAt": {"timestampValue": "2026-05-04T03:02:10Z"}}}}
    status = {
        "phase": {"stringValue": "Ready"},
        "proxyUrl": {"stringValue": "http://a.localhost:1/"},
        "agent": agent,
    }
    read = decode(document(email={"stringValue": "a@example.com"}, status={"mapValue": {"fields": status}}))
    assert read == READY
    assert line(read) == "JupyterLab of a@example.com: http://a.localhost:1/"


def test_a_document_without_email_is_shown_by_its_id() -> None:
    assert decode(document(email={"integerValue": "3"})) == User("u-1", "", id="u-1")


def test_an_empty_document_is_shown() -> None:
    assert decode({"name": "projects/p/databases/(default)/documents/users/é"}) == User("é", "", id="é")


def test_the_id_does_not_depend_on_case_or_blanks() -> None:
    assert document_id(" You@Example.com ") == document_id("you@example.com")
    assert len(document_id("you@example.com")) == 22


def test_what_was_ready_before_this_run_is_starting_again() -> None:
    assert as_of(READY, START) == READY
    assert as_of(READY, START + timedelta(minutes=1)) == User(
        "a@example.com", "Starting", registered=READY.registered, id="u-1"
    )


def test_each_news_is_a_line_once_and_nothing_in_an_email_is_markup() -> None:
    output = io.StringIO()
    view = View(Console(file=output, width=40), START)
    rejected = User("[red]x@example.com", "Rejected", message="email: not allowed")
    for users in ([rejected], [rejected, READY], [READY]):
        view.show(users)
    view.close()
    assert output.getvalue().splitlines() == [
        "[red]x@example.com: Rejected (email: not allowed)",
        "JupyterLab of a@example.com: http://a.localhost:1/",
        "[red]x@example.com: gone",
    ]


def test_of_two_documents_with_one_email_each_news_is_a_line_once() -> None:
    output = io.StringIO()
    view = View(Console(file=output, width=80), START)
    for _ in range(3):
        view.show([READY, User(READY.email, "Rejected", message="another document holds it", id="u-2")])
    view.close()
    assert len(output.getvalue().splitlines()) == 2
