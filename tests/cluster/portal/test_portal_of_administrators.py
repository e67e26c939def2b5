"""What administrators see and do at the portal, and that nobody else does."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cluster.portal.portal_site import ADA, ADMIN, EVE, Site
from kupyterhub_portal.listing import PAGE
from kupyterhub_rules.names import base_name, document_id

PATHS = ("/people", "/people/counts", "/people/add", f"/person?id={document_id(ADA)}")
ACTIONS = ("/people/act", "/people/add", "/person/choose")


@pytest.mark.parametrize("path", PATHS)
def test_nobody_else_sees_a_page_of_administrators(site: Site, path: str) -> None:
    site.add(ADA, "Ready")
    answer = site.browser(EVE).get(path)
    assert answer.status_code == 403
    assert "for administrators" in answer.text
    assert ADA not in answer.text


@pytest.mark.parametrize("path", ACTIONS)
def test_nobody_else_does_anything_there(site: Site, path: str) -> None:
    user = site.add(ADA, "Ready")
    before = site.fields(user)
    answer = site.browser(EVE).post(path, action="stop", user=user, people="x@example.com", choice="gpu", sure="yes")
    assert answer.status_code == 403
    assert site.fields(user) == before
    assert [each.id for each in site.users.stream()] == [user]


def test_everybody_is_listed_with_what_is_the_matter(site: Site) -> None:
    site.add(ADA, "Ready", displayName="Ada Lovelace")
    site.add(EVE, "Rejected", status_reason="UnknownProfile", status_message="profile: there is no 'huge'.")
    site.add("new@example.com")
    page = unescape(site.browser(ADMIN).get("/people").text)
    assert page.index("ada@") < page.index("eve@") < page.index("new@")
    assert "Ada Lovelace" in page
    assert "profile: there is no 'huge'." in page
    assert "New" in page


def test_pages_hold_everybody_once(site: Site) -> None:
    emails = [f"student{number:03}@example.com" for number in range(2 * PAGE + 7)]
    site.store.create_many({document_id(email): {"email": email} for email in emails})
    # Where two have an e-mail, the page may end between them; nobody is left out by it.
    twice = emails[PAGE - 1]
    site.users.document("another").set({"email": twice})
    browser, path, seen = site.browser(ADMIN), "/people", []
    for _ in range(3):
        page = browser.get(path).text
        seen += re.findall(">([^<]+@example.com)</a>", page)
        following = re.search('href="([^"]+)">Next page', page)
        path = unescape(following[1]) if following else ""
    assert not path
    assert seen == sorted([*emails, twice])


def test_who_has_no_email_is_found_among_the_rejected(site: Site) -> None:
    for user, fields in {"none": {}, "number": {"email": 7}}.items():
        site.users.document(user).set({**fields, "status": {"phase": "Rejected", "message": f"email: {user}"}})
    browser = site.browser(ADMIN)
    page = browser.get("/people").text
    assert 'href="/people?phase=Rejected">rejected</a>' in page
    page = browser.get("/people?phase=Rejected").text
    assert "email: none" in page
    assert "email: number" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("part=lovel", [ADA], id="a part of a name"),
        pytest.param("part=EVE@", [EVE], id="a part of an e-mail, in any case"),
        pytest.param("part=example.com&phase=Stopped", [EVE], id="with a state"),
        pytest.param("phase=Ready", [ADA], id="a state alone"),
        pytest.param("part=nobody", [], id="nobody"),
    ],
)
def test_people_are_found(site: Site, query: str, found: list[str]) -> None:
    site.add(ADA, "Ready", displayName="Ada Lovelace")
    site.add(EVE, "Stopped", state="stopped")
    page = site.browser(ADMIN).get(f"/people?{query}").text
    assert [email for email in (ADA, EVE) if f">{email}</a>" in page] == found


@pytest.mark.parametrize("query", ["part=ab", "phase=Nonsense"])
def test_what_cannot_be_sought_is_said(site: Site, query: str) -> None:
    assert site.browser(ADMIN).get(f"/people?{query}").status_code == 400


def test_how_many_there_are(site: Site) -> None:
    site.add(ADA, "Ready")
    site.add(EVE, "Stopped")
    page = site.browser(ADMIN).get("/people/counts").text
    assert ">Ready</span> 1<" in page
    assert ">Stopped</span> 1<" in page
    assert "Failed" not in page


def test_a_pasted_list_adds_those_who_are_not_there(site: Site) -> None:
    site.add(ADA, "Ready", id="made-by-an-app")
    site.add(EVE, "Deleted", state="deleted")
    pasted = f"Grace Hopper <grace@example.com>\n{ADA}, new@example.com; <b>bold\n{EVE.upper()}\n=cmd()@x y"
    page = unescape(site.browser(ADMIN).post("/people/add", people=pasted, profile="big").text)
    assert site.fields(document_id("grace@example.com")) == {
        "email": "grace@example.com",
        "displayName": "Grace Hopper",
        "profile": "big",
    }
    assert site.fields(document_id("new@example.com")) == {"email": "new@example.com", "profile": "big"}
    assert "2 people were added" in page
    assert "1 was there already" in page
    assert "1 had been deleted before" in page
    assert site.fields(document_id(EVE))["state"] == "deleted"
    assert not site.users.document(document_id(ADA)).get().exists
    assert "<b>" not in site.browser(ADMIN).post("/people/add", people="<b>bold", profile="default").text


def test_who_was_deleted_under_one_id_and_counts_under_another_is_there(site: Site) -> None:
    site.add(ADA, "Deleted", state="deleted")
    site.add(ADA, "Ready", id="made-by-an-app")
    page = site.browser(ADMIN).post("/people/add", people=ADA, profile="default").text
    assert "1 was there already" in page
    assert "deleted before" not in page


def test_a_list_that_is_too_long_adds_nobody(site: Site) -> None:
    people = "\n".join(f"p{number}@example.com" for number in range(1001))
    answer = site.browser(ADMIN).post("/people/add", people=people, profile="default")
    assert answer.status_code == 413
    assert not list(site.users.stream())


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("start", {"state": "running"}),
        ("stop", {"state": "stopped"}),
        ("restart", {"restart": True, "state": "stopped"}),
    ],
)
def test_many_at_once_and_one_who_is_gone_keeps_nobody(site: Site, action: str, expected: dict[str, Any]) -> None:
    users = [site.add(email, "Stopped", state="stopped", displayName="kept") for email in (ADA, EVE)]
    browser = site.browser(ADMIN)
    answer = browser.post("/people/act", action=action, user=[*users, "gone"], part="example.com")
    for user in users:
        found = {name: value for name, value in site.fields(user).items() if name not in ("email", "status")}
        assert found == {"displayName": "kept", **expected}
    location = urlsplit(answer.headers["Location"])
    assert parse_qs(location.query)["part"] == ["example.com"]
    page = browser.get(answer.headers["Location"]).text
    assert "2 people are being" in page
    assert "1 was gone already" in page
    assert not site.users.document("gone").get().exists


def test_deleting_asks_first_and_keeps_files_unless_it_is_told(site: Site) -> None:
    users = [site.add(email, "Ready") for email in (ADA, EVE)]
    browser = site.browser(ADMIN)
    asked = browser.post("/people/act", action="delete", user=users).text
    assert "Delete 2 people?" in asked
    assert ADA in asked
    assert "state" not in site.fields(users[0])
    browser.post("/people/act", action="delete", user=users[0], sure="yes")
    browser.post("/people/act", action="delete", user=users[1], sure="yes", purge="yes")
    assert (site.fields(users[0])["state"], "purge" in site.fields(users[0])) == ("deleted", False)
    assert (site.fields(users[1])["state"], site.fields(users[1])["purge"]) == ("deleted", True)


def test_bringing_somebody_back_forgets_a_purge_that_waited(site: Site) -> None:
    user = site.add(ADA, "Deleted", state="deleted", purge=True)
    site.browser(ADMIN).post("/people/act", action="start", user=user)
    assert site.fields(user)["state"] == "running"
    assert "purge" not in site.fields(user)


def test_a_start_brings_nobody_back_whose_time_is_over(site: Site) -> None:
    before = datetime.now(UTC) - timedelta(days=1)
    over = site.add(ADA, "Deleted", expiresAt=before)
    other = site.add(EVE, "Deleted", state="deleted", expiresAt=before + timedelta(days=9))
    browser = site.browser(ADMIN)
    answer = browser.post("/people/act", action="start", user=[over, other])
    page = browser.get(answer.headers["Location"]).text
    assert "1 person is being started." in page
    assert "The time of 1 is over" in page
    assert "state" not in site.fields(over)
    assert site.fields(other)["state"] == "running"
    assert f"kupyterhub users add {ADA} --expires never" in browser.get(f"/person?id={over}").text
    assert "--expires" not in browser.get(f"/person?id={other}").text


def test_who_acts_on_a_persons_page_comes_back_to_it(site: Site) -> None:
    user = site.add(ADA, "Ready")
    browser = site.browser(ADMIN)
    asked = browser.post("/people/act", action="delete", user=user, back=user).text
    assert f'href="/person?id={user}">Leave them</a>' in asked
    assert f'name="back" value="{user}"' in asked
    answer = browser.post("/people/act", action="delete", user=user, back=user, sure="yes")
    assert answer.headers["Location"].startswith(f"/person?id={user}&")
    asked = browser.post("/people/act", action="delete", user=user, part="ada", phase="Deleted").text
    assert 'href="/people?part=ada&amp;phase=Deleted">Leave them</a>' in asked


def test_whoever_administrates_is_led_to_whose_notebook_did_not_open(site: Site) -> None:
    user = site.add(ADA, "Stopped", id="made-by-an-app", state="stopped")
    site.add(ADA, "Rejected", id="another", status_reason="DuplicateEmail")
    answer = site.browser(ADMIN).get(f"/?start={base_name(ADA)}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/person?id={user}")
    for email, name in ((EVE, base_name(ADA)), (ADMIN, "nobody-0123456789abcdef"), (ADMIN, "x" * 3000)):
        answer = site.browser(email).get(f"/?start={name}")
        assert answer.status_code == 200
        assert "is not yours" in answer.text
        assert user not in answer.text
    assert "is not yours" not in site.browser(ADMIN).get(f"/?start={base_name(ADMIN)}").text


def test_nobody_chosen_is_said(site: Site) -> None:
    assert "Nobody was chosen" in site.browser(ADMIN).post("/people/act", action="stop").text


def test_one_person_is_shown_whole(site: Site) -> None:
    user = site.add(ADA, "Rejected", status_reason="UnknownProfile", status_message="profile: there is none.")
    entry = {"phase": "Rejected", "reason": "UnknownProfile", "message": "what happened", "at": None}
    site.users.document(user).collection("history").add(entry)
    latest = {"phase": "Provisioning", "message": "the latest", "at": datetime(2026, 1, 1, tzinfo=UTC)}
    site.users.document(user).update({"status.changes": [latest]})
    browser = site.browser(ADMIN)
    page = browser.get(f"/person?id={user}").text
    assert page.index("the latest") < page.index("what happened")
    assert "profile: there is none." in page
    assert user in page
    browser.post("/person/choose", user=user, choice="gpu")
    assert site.fields(user)["profile"] == "gpu"


@pytest.mark.parametrize("user", ["gone", "a/b", "", "..", "__x__", "%F0%9F%98%80"])
def test_a_person_who_is_not_there_is_a_clear_message(site: Site, user: str) -> None:
    browser = site.browser(ADMIN)
    answer = browser.get(f"/person?id={user}")
    assert answer.status_code == 404
    assert browser.post("/person/choose", user="gone", choice="gpu").status_code == 404


def test_markup_in_names_is_text(site: Site) -> None:
    name, user = "<script>alert(1)</script>", 'x"><img src=x>'
    site.add(ADA, "Rejected", id=user, displayName=name, profile=name, status_message=name)
    site.users.document("odd").set(
        {"email": ["a", {"b": 1}], "displayName": 7, "profile": {"x": 1}, "status": "text"}
    )
    browser = site.browser(ADMIN)
    for path in ("/people", "/person?id=odd", "/person?id=x%22%3E%3Cimg+src%3Dx%3E"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text
    assert "<img" not in browser.post("/people/act", action="delete", user=[user, "odd"]).text


def test_a_link_cannot_put_words_into_the_page(site: Site) -> None:
    page = site.browser(ADMIN).get("/people?done=<b>evil&people=evil&gone=evil").text
    assert "evil" not in page
