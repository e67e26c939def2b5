"""The try with two throw-away users, and each way in which a system fails it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from kupyterhub_smoke import trying
from kupyterhub_smoke.ports import SmokeError
from kupyterhub_smoke.programs import MARK

from kupyterhub_local.users import document_id

EMAILS = ("a@example.com", "b@example.com")
IDS = [document_id(email) for email in EMAILS]


class System:
    """A system that does at once what it is asked, with notebooks that keep the names of files."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.files: dict[str, set[str]] = {}
        self.purged: list[str] = []
        self.phase = "Ready"
        self.bucket_answers = "403"
        self.look: Callable[[str], set[str]] = lambda name: self.files[name]
        self.now = 0.0

    def get(self, user: str) -> dict[str, Any] | None:
        return self.documents.get(user)

    def add(self, user: str, fields: dict[str, Any]) -> None:
        name = fields["email"].partition("@")[0]
        status = {"phase": self.phase, "name": name, "email": fields["email"], "message": "no node"}
        self.documents[user] = {**fields, "status": status}
        self.files[name] = set()

    def remove(self, user: str) -> None:
        assert self.documents[user]["status"]["phase"] == "Deleted"
        del self.documents[user]

    def purge(self, user: str) -> None:
        self.purged.append(user)
        self.documents[user]["status"]["phase"] = "Deleted"

    def run(self, status: Mapping[str, Any], code: str) -> str:
        compile(code, "program", "exec")
        name = status["name"]
        if "write_text" in code:
            self.files[name].add(f"{MARK}-{name}")
            return "written"
        if "googleapis" in code:
            return self.bucket_answers
        return " ".join(sorted(self.look(name)))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def try_it(self, bucket: str | None = None) -> list[str]:
        said: list[str] = []
        clock = trying.Clock(lambda: self.now, self.sleep)
        trying.Try(self, self, said.append, bucket, clock).run(EMAILS)
        return said


@pytest.fixture
def system() -> System:
    return System()


def test_a_system_that_works_passes_and_is_left_as_it_was(system: System) -> None:
    said = system.try_it("notebooks")
    assert said[-1] == "b@example.com: purged"
    assert system.purged == IDS
    assert not system.documents


def test_files_of_another_in_ones_own_home_fail_it(system: System) -> None:
    system.look = lambda _: set().union(*system.files.values())
    with pytest.raises(SmokeError, match="their own, and sees"):
        system.try_it()
    assert system.purged == IDS


def test_the_bucket_giving_another_persons_file_fails_it(system: System) -> None:
    system.bucket_answers = "200"
    with pytest.raises(SmokeError, match=r"asked the bucket for b@example\.com's file and got 200"):
        system.try_it("notebooks")
    assert not system.documents


@pytest.mark.parametrize("answer", ["401", "403", "unreachable"])
def test_a_notebook_that_may_not_ask_the_bucket_is_as_it_should_be(system: System, answer: str) -> None:
    system.bucket_answers = answer
    system.try_it("notebooks")


def test_who_is_refused_is_told_with_the_reason(system: System) -> None:
    system.phase = "Rejected"
    with pytest.raises(SmokeError, match="Rejected: no node"):
        system.try_it()
    assert not system.documents


def test_a_notebook_that_does_not_come_is_told_with_what_it_waits_for(system: System) -> None:
    system.phase = "Provisioning"
    with pytest.raises(SmokeError, match="is not Ready after 15 minutes, but Provisioning: no node"):
        system.try_it()
    assert system.purged == IDS


def test_a_person_who_is_a_user_is_left_alone(system: System) -> None:
    system.add(IDS[1], {"email": EMAILS[1]})
    with pytest.raises(SmokeError, match=r"b@example\.com is a user"):
        system.try_it()
    assert system.purged == []
    assert list(system.documents) == [IDS[1]]


def test_what_a_killed_try_left_is_removed_first(system: System) -> None:
    system.add(IDS[0], {"email": EMAILS[0], MARK: True})
    system.try_it()
    assert system.purged == [IDS[0], *IDS]


def test_ids_are_those_of_all_programs() -> None:
    assert [trying.document_id(email.upper()) for email in EMAILS] == IDS
