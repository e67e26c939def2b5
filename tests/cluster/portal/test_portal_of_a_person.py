"""What a person sees and does at the portal: their own server, and never another's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cluster.portal.portal_site import ADA, EVE, SETTINGS, Site, token
from kupyterhub.domain.errors import DocumentChanged
from kupyterhub.domain.phases import WAITS
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.store import Store
from kupyterhub_rules.names import base_name, document_id


def test_somebody_enrols_once_and_nothing_but_the_email_is_written(site: Site) -> None:
    browser = site.browser(ADA)
    assert "You have no server yet" in browser.get("/").text
    for _ in range(2):
        assert browser.post("/enrol").status_code == 303
    assert site.fields(document_id(ADA)) == {"email": ADA}
    assert "Starting" in browser.get("/").text


def test_enrolling_never_brings_back_who_was_deleted(site: Site) -> None:
    user = site.add(ADA, "Deleted", state="deleted")
    browser = site.browser(ADA)
    assert "You have no server any more" in browser.get("/").text
    browser.post("/enrol")
    assert browser.post("/start").status_code == 403
    assert site.fields(user)["state"] == "deleted"


def test_nobody_starts_whose_time_is_over(site: Site) -> None:
    site.add(ADA, "Deleted", expiresAt=datetime.now(UTC) - timedelta(days=1))
    browser = site.browser(ADA)
    assert "Your time here is over" in browser.get("/").text
    assert browser.post("/start").status_code == 403


@pytest.mark.parametrize(
    ("settings", "email"),
    [
        pytest.param(SETTINGS.replace("selfEnrolment: true", ""), ADA, id="the settings do not say so"),
        pytest.param(SETTINGS, "ada@elsewhere.org", id="an e-mail that is not allowed"),
    ],
)
def test_who_may_not_enrol_is_told_to_ask(site: Site, settings: str, email: str) -> None:
    browser = site.with_settings(settings).browser(email)
    assert "ask one of them" in browser.get("/").text
    assert browser.post("/enrol").status_code == 403
    assert not site.users.document(document_id(email)).get().exists


def test_a_running_server_opens_and_stops_and_starts(site: Site) -> None:
    user = site.add(ADA, "Ready", status_proxyUrl="http://ada.localhost:1/")
    browser = site.browser(ADA)
    page = browser.get("/").text
    assert 'href="http://ada.localhost:1/"' in page
    assert "data-changes" not in page
    browser.post("/stop")
    assert site.fields(user)["state"] == "stopped"
    page = browser.get("/state").text
    assert "Stopping" in page
    assert "data-changes" in page
    assert "http://ada.localhost:1/" not in page
    browser.post("/start")
    assert site.fields(user)["state"] == "running"


def test_a_url_that_is_none_is_not_linked(site: Site) -> None:
    site.add(ADA, "Ready", status_proxyUrl="javascript:alert(1)")
    assert "javascript:" not in site.browser(ADA).get("/").text


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("WaitingForNode", "A machine is being added for you. That usually takes 2 to 5 minutes"),
        ("Starting", "usually takes less than a minute"),
        ("ImagePullBackOff", "Your files are safe"),
        ("CrashLoopBackOff", "Your files are safe"),
    ],
)
def test_a_start_says_what_it_waits_for_without_words_of_kubernetes(site: Site, reason: str, said: str) -> None:
    site.add(ADA, "Provisioning", status_reason=reason, status_message="0/3 nodes are available: 3 Insufficient cpu")
    page = site.browser(ADA).get("/").text
    assert said in page
    assert 'aria-current="step"' in page
    assert "nodes" not in page
    assert reason == "Starting" or reason not in page


def test_a_reason_that_is_new_is_told_in_the_controllers_sentence(site: Site) -> None:
    site.add(ADA, "Provisioning", status_reason="SomethingNew", status_message="It waits for <the tide>.")
    assert "It waits for &lt;the tide&gt;." in site.browser(ADA).get("/").text


def test_a_document_of_any_id_is_found_by_its_email(site: Site) -> None:
    user = site.add(ADA, "Stopped", id="made-by-an-app", state="stopped")
    site.browser(ADA).post("/start")
    assert site.fields(user)["state"] == "running"
    assert not site.users.document(document_id(ADA)).get().exists


def test_the_second_document_of_an_email_is_not_the_one_that_is_shown(site: Site) -> None:
    first = site.add(ADA, "Stopped", id="first", state="stopped")
    site.add(ADA, "Rejected", status_reason="DuplicateEmail", state="stopped")
    site.browser(ADA).post("/start")
    assert site.fields(first)["state"] == "running"
    assert site.fields(document_id(ADA))["state"] == "stopped"


def test_no_form_reaches_the_server_of_another(site: Site) -> None:
    adas = site.add(ADA, "Ready", status_proxyUrl="http://ada.localhost:1/")
    before = site.fields(adas)
    eve = site.browser(EVE)
    hers = {"user": adas, "id": adas, "email": ADA, "name": base_name(ADA)}
    for path in ("/start", "/stop", "/restart", "/choose"):
        assert eve.post(path, choice="default", **hers).status_code in {403, 404}
    eve.post("/enrol", **hers)
    for path in ("/", "/state", f"/?start={base_name(ADA)}"):
        assert "ada" not in eve.get(path).text
    assert site.fields(adas) == before


def test_who_opened_a_notebook_that_stopped_is_offered_to_start_it(site: Site) -> None:
    site.add(ADA, "Stopped", state="stopped")
    page = site.browser(ADA).get(f"/?start={base_name(ADA)}").text
    assert "Your server is stopped" in page
    assert 'action="/start"' in page
    assert "is not yours" not in page
    assert "is not yours" in site.browser(EVE).get(f"/?start={base_name(ADA)}").text


def test_one_chooses_among_what_is_allowed_and_no_other_field_is_touched(site: Site) -> None:
    user = site.add(ADA, "Stopped", state="stopped", form={"question": "answer"})
    browser = site.browser(ADA)
    page = browser.get("/").text
    assert "big: big:2" in page
    assert "gpu" not in page
    before = site.fields(user)
    browser.post("/choose", choice="big big:2")
    assert site.fields(user) == {**before, "profile": "big", "image": "big:2"}
    assert browser.post("/choose", choice="gpu").status_code == 403
    browser.post("/choose", choice="default")
    assert site.fields(user) == before


def test_who_runs_with_something_else_than_was_chosen_may_restart(site: Site) -> None:
    user = site.add(ADA, "Ready", status_proxyUrl="http://a/", status_message=WAITS)
    browser = site.browser(ADA)
    assert "Restart with what you chose" in browser.get("/").text
    browser.post("/restart")
    assert site.fields(user)["restart"] is True
    assert "data-changes" in browser.get("/").text


def test_a_profile_that_an_administrator_gave_stays_a_choice(site: Site) -> None:
    site.add(EVE, "Stopped", state="stopped", profile="gpu")
    assert '<option value="gpu" selected>' in site.browser(EVE).get("/").text


class Hurried(Store):
    """Firestore in which somebody else writes just before each of some writes."""

    def meanwhile(self, *others: dict[str, Any]) -> None:
        self._others = list(others)

    def change(self, document: UserDocument, fields: Any) -> None:
        if self._others:
            self._users.document(document.id).update(self._others.pop(0))
        super().change(document, fields)


def hurried(site: Site) -> Hurried:
    site.store = Hurried(site.store._client)
    return site.store


def test_an_edit_at_the_same_moment_is_kept(site: Site) -> None:
    store = hurried(site)
    user = site.add(ADA, "Ready")
    store.meanwhile({"displayName": "Ada"}, {"profile": "big"})
    site.browser(ADA).post("/stop")
    found = site.fields(user)
    assert (found["state"], found["displayName"], found["profile"]) == ("stopped", "Ada", "big")


def test_who_is_deleted_at_the_same_moment_does_not_come_back(site: Site) -> None:
    store = hurried(site)
    user = site.add(ADA, "Stopped", state="stopped")
    store.meanwhile({"state": "deleted"})
    assert site.browser(ADA).post("/start").status_code == 403
    assert site.fields(user)["state"] == "deleted"


def test_a_document_that_never_stays_the_same_is_a_page_that_says_so(site: Site) -> None:
    store = hurried(site)
    site.add(ADA, "Ready")
    store.meanwhile(*({"form": number} for number in range(9)))
    answer = site.browser(ADA).post("/stop")
    assert answer.status_code == 503
    assert "Nothing was lost" in answer.text


def test_a_server_that_is_gone_is_a_clear_message(site: Site) -> None:
    user = site.add(ADA, "Ready")
    browser = site.browser(ADA)
    form = token(browser.get("/").text)
    site.users.document(user).delete()
    answer = browser.post("/stop", token=form)
    assert answer.status_code == 404
    assert "You have no server here" in answer.text


def test_a_version_that_was_overtaken_is_not_written(site: Site) -> None:
    user = site.add(ADA, "Ready")
    read = site.store.get(user)
    assert read is not None
    site.users.document(user).update({"displayName": "Ada"})
    with pytest.raises(DocumentChanged):
        site.store.change(read, {"state": "stopped"})
