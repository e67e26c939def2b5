"""Documents, lists and requests that nobody should have made: each is answered by a page that says what it is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from cluster.portal.portal_site import ADA, ADMIN, EVE, ORIGIN, Browser, Site, token
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain.place import Place
from kupyterhub_portal.store import Store
from kupyterhub_rules.names import document_id

RUBBISH = [None, True, float("nan"), "", b"\xff", ["a", {"b": 1}], {"x": {"y": []}}]
FIELDS = ("displayName", "profile", "image", "state", "expiresAt", "restart", "purge", "form")
STATUS_FIELDS = (
    *("phase", "proxyUrl", "name", "reason", "message", "observed", "startedAt", "lastActivity", "terms", "changes"),
)
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def shown(site: Site, user: str, email: str = ADA) -> list[str]:
    """Every page on which this document, or some of it, is shown."""
    admin, person = site.browser(ADMIN), site.browser(email)
    answers = [
        *(admin.get(path) for path in ("/people", "/people?phase=Rejected", f"/person?id={quote(user)}")),
        admin.post("/people/act", action="delete", user=user),
        admin.post("/people/add", people=email, profile="default"),
        person.get("/"),
        person.get("/state"),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return [answer.text for answer in answers]


@pytest.mark.parametrize("value", RUBBISH, ids=repr)
def test_a_field_may_hold_anything(site: Site, value: Any) -> None:
    for user in (document_id(ADA), "another"):
        status = {**dict.fromkeys(STATUS_FIELDS, value), "phase": "Rejected"}
        site.users.document(user).set({**dict.fromkeys(FIELDS, value), "email": ADA, "status": status})
    shown(site, document_id(ADA))
    for fields in ({"email": ADA, "status": value}, {"email": value, "status": {"phase": value}}):
        site.users.document("odd").set(fields)
        for path in ("/people", "/person?id=odd"):
            assert site.browser(ADMIN).get(path).status_code == 200


def test_what_happened_may_hold_anything(site: Site) -> None:
    user = site.add(ADA, "Ready")
    for value in RUBBISH:
        site.users.document(user).collection("history").add(
            dict.fromkeys(("at", "phase", "reason", "message"), value)
        )
    shown(site, user)


def test_markup_in_each_field_is_text(site: Site) -> None:
    fields = {"displayName": MARKUP, "profile": MARKUP, "image": MARKUP, "form": MARKUP, "state": MARKUP}
    status = {f"status_{name}": MARKUP for name in ("reason", "message", "name")}
    user = site.add(ADA, "Rejected", **fields, **status, status_proxyUrl="javascript:alert(1)")
    site.users.document(user).collection("history").add({"at": MARKUP, "phase": MARKUP, "message": MARKUP})
    for page in shown(site, user):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript:' not in page
    page = (
        site.browser(ADMIN).post("/people/add", people=f"{MARKUP}\n{MARKUP} <x@example.com>", profile="default").text
    )
    assert "<script>alert" not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    "user",
    [
        pytest.param("x" * 1501, id="longer than Firestore's ids"),
        pytest.param("\u00e9" * 751, id="longer than Firestore's ids in bytes"),
        pytest.param("\0", id="a byte that no text has"),
        pytest.param("a\nb", id="two lines"),
    ],
)
def test_an_id_that_is_none_is_a_clear_message(site: Site, user: str) -> None:
    browser = site.browser(ADMIN)
    assert browser.get(f"/person?id={quote(user)}").status_code == 404
    assert browser.post("/person/choose", user=user, choice="gpu").status_code == 404
    assert browser.post("/people/act", action="stop", user=user).status_code in {303, 400}
    for after in (user, f"/{user}", f"a@x.org/{user}", f"{user}/a"):
        assert browser.get(f"/people?after={quote(after, safe='')}").status_code == 200


def test_a_list_of_ten_thousand_lines_says_how_many_may_be_pasted(site: Site) -> None:
    for separator in ("\n", "\r\n"):
        people = separator.join(f"student{number:05}@example.com" for number in range(10_000))
        answer = site.browser(ADMIN).post("/people/add", people=people, profile="default")
        assert answer.status_code == 413
        assert "1,000" in answer.text
    assert not list(site.users.limit(1).stream())


class Broken(Store):
    """A store with a mistake in it."""

    def get(self, user: str) -> UserDocument | None:
        raise RuntimeError(f"the secret of {user}")

    def everybody(self, after: Place | None, limit: int) -> list[UserDocument]:
        raise RuntimeError(f"the secret of {limit} after {after}")


def test_a_mistake_of_ours_is_a_page_that_tells_nothing_of_it(site: Site) -> None:
    site = replace(site, store=Broken(site.store._client))
    answers = [site.browser(ADA).get("/"), site.browser(ADMIN).get("/people")]
    assert [answer.status_code for answer in answers] == [500, 200]
    assert all("secret" not in answer.text for answer in answers)
    assert "cannot be reached just now" in answers[1].text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("OPTIONS", "/", 405),
        ("PUT", "/people", 405),
        ("DELETE", "/person", 405),
        ("BREW", "/state", 405),
        ("POST", "/", 405),
        ("PUT", "/nowhere", 404),
        ("TRACE", "/people/act", 405),
    ],
)
def test_a_method_that_a_page_does_not_know_does_nothing(site: Site, method: str, path: str, status: int) -> None:
    answer = site.browser(ADMIN).client.open(
        path, method=method, base_url=ORIGIN, headers={"Origin": ORIGIN}, environ_base={"REMOTE_ADDR": "127.0.0.1"}
    )
    assert answer.status_code == status


def test_head_is_get_without_a_body(site: Site) -> None:
    for path in ("/", "/people"):
        answer = site.browser(ADMIN).client.head(path, base_url=ORIGIN, environ_base={"REMOTE_ADDR": "127.0.0.1"})
        assert (answer.status_code, answer.data) == (200, b"")


def together(*asks: Any) -> list[Any]:
    with ThreadPoolExecutor(len(asks)) as pool:
        return [asked.result() for asked in [pool.submit(ask) for ask in asks]]


def test_a_person_and_an_administrator_at_the_same_time_lose_nothing(site: Site) -> None:
    user = site.add(ADA, "Ready")
    person, admin = site.browser(ADA), site.browser(ADMIN)
    forms = [token(browser.get("/").text) for browser in (person, admin)]
    answers = together(
        lambda: person.post("/stop", token=forms[0]),
        lambda: admin.post("/person/choose", token=forms[1], user=user, choice="gpu"),
    )
    assert [answer.status_code for answer in answers] == [303, 303]
    assert (site.fields(user)["state"], site.fields(user)["profile"]) == ("stopped", "gpu")


def test_who_enrols_twice_at_the_same_time_is_one_user(site: Site) -> None:
    browsers: list[Browser] = [site.browser(EVE) for _ in range(4)]
    forms = [token(browser.get("/").text) for browser in browsers]
    asks = [
        lambda browser=browser, form=form: browser.post("/enrol", token=form)
        for browser, form in zip(browsers, forms, strict=True)
    ]
    assert [answer.status_code for answer in together(*asks)] == [303] * 4
    assert [each.id for each in site.users.stream()] == [document_id(EVE)]
