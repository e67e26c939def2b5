"""What the portal refuses, whoever asks."""

from dataclasses import replace

import pytest

from cluster.portal.portal_site import ADA, ADMIN, ORIGIN, Site, token
from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.app import MAX_BODY
from kupyterhub_portal.domain.place import Place
from kupyterhub_portal.store import Store


@pytest.mark.parametrize("origin", [None, "null", "https://localhost:8000", "http://evil.localhost:8000"])
@pytest.mark.parametrize("path", ["/stop", "/sign-out"])
def test_a_form_of_another_origin_does_nothing(site: Site, origin: str | None, path: str) -> None:
    user = site.add(ADA, "Ready")
    browser = site.browser(ADA)
    answer = browser.post(path, origin=origin, email="eve@example.com")
    assert answer.status_code == 403
    assert "nothing was done" in answer.text
    assert "state" not in site.fields(user)
    assert ADA in browser.get("/").text


@pytest.mark.parametrize("kind", ["none", "made up", "of another person"])
def test_a_form_with_a_token_that_is_not_this_persons_does_nothing(site: Site, kind: str) -> None:
    user = site.add(ADA, "Ready")
    tokens = {
        "none": "",
        "made up": "x.y.z",
        "of another person": token(site.browser(ADMIN).get("/").text),
    }
    answer = site.browser(ADA).post("/stop", token=tokens[kind])
    assert answer.status_code == 403
    assert "state" not in site.fields(user)


def test_reading_never_changes_anything(site: Site) -> None:
    user = site.add(ADA, "Ready")
    browser = site.browser(ADA)
    for path in ("/stop", "/start", "/enrol", "/people/act"):
        assert browser.get(path).status_code == 405
    assert browser.get("/sign-out").status_code == 404
    assert ADA in browser.get("/").text
    assert "state" not in site.fields(user)


def test_each_answer_forbids_what_pages_of_others_would_do(site: Site) -> None:
    site.add(ADA, "Ready")
    for answer in (
        site.browser().post("/stop"),
        site.browser(ADA).get("/"),
        site.browser(ADMIN).get("/people"),
        site.browser(ADA).get("/nowhere"),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_another_name_of_the_server_leads_to_the_one(site: Site) -> None:
    client = site.browser().client
    answer = client.get("/?start=x", base_url="http://127.0.0.1:8000")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ORIGIN}/?start=x")
    assert client.post("/stop", base_url="http://rebound.example:8000", data={"action": "x"}).status_code == 421


def test_who_asks_without_end_is_told_to_wait(site: Site) -> None:
    site.add(ADA, "Ready")
    browser = site.browser(ADA)
    answers = [browser.post("/stop") for _ in range(25)]
    assert answers[0].status_code == 303
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"])
    assert site.browser(ADMIN).get("/people").status_code == 200


def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    answer = site.browser(ADMIN).post("/people/add", people="x" * MAX_BODY, profile="default")
    assert answer.status_code == 413


class Away(Store):
    """Firestore that does not answer."""

    def get(self, user: str) -> UserDocument | None:
        raise TransientError(user)

    def everybody(self, after: Place | None, limit: int) -> list[UserDocument]:
        raise TransientError(f"{limit} after {after}")


def test_firestore_that_does_not_answer_is_a_page_that_says_so(site: Site) -> None:
    site = replace(site, store=Away(site.store._client))
    answer = site.browser(ADA).get("/")
    assert answer.status_code == 503
    assert "does not work just now" in answer.text
    assert "cannot be reached just now" in site.browser(ADMIN).get("/people").text


def test_a_page_weighs_less_than_a_hundred_kilobytes(site: Site) -> None:
    for number in range(50):
        site.add(
            f"student{number}.of.a.long.name@department.example.com",
            "Rejected",
            displayName=f"Student Number {number} of a Long Name",
            status_reason="UnknownProfile",
            status_message="profile: there is no 'huge'. Allowed: big, default, gpu. What runs is left running.",
        )
    browser = site.browser(ADMIN)
    page = browser.get("/people")
    files = [path for path in page.text.split('"') if path.startswith("/assets/")]
    assert len(files) == 2
    answers = [browser.get(path) for path in files]
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)
    assert sum(len(answer.data) for answer in (page, *answers)) < 100_000
