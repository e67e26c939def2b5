"""What the ports promise, as tests that twin and real adapter both pass.

A test module subclasses a contract and gives its fixtures; for a real system somebody else may use it at the same
time, so every name here is fresh.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest

from kupyterhub.domain import labels
from kupyterhub.domain.desired import Desired, desired
from kupyterhub.domain.errors import DocumentChanged, ObjectChanged
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.manifests.storage import claim
from kupyterhub.domain.names import base_name
from kupyterhub.domain.policy import Wanted, judge
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import Agent, UserDocument
from kupyterhub.ports import Cluster, Users
from twins.world import SETTINGS

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class People(Protocol):
    """What people and their programs do with documents."""

    def set(self, user: str, **fields: Any) -> object:
        """Create the document, or merge fields into it."""

    def remove(self, user: str) -> None:
        """Delete the document."""


def fresh(word: str) -> str:
    """A word that nobody else uses."""
    return f"{word}-{uuid4().hex[:12]}"


class UsersContract:
    """`ports.Users`; fixtures: `users`, and `people` over the same collection."""

    def test_a_document_is_read_as_it_was_written(self, users: Users, people: People) -> None:
        user = fresh("é 中%2F@")
        people.set(user, email="Ada@Example.com", expiresAt=NOON, form={"class": [1, "b"]})

        document = users.get(user)

        assert document is not None
        assert document.id == user
        assert document.fields == {"email": "Ada@Example.com", "expiresAt": NOON, "form": {"class": [1, "b"]}}
        assert document.create_time == document.update_time
        assert document.create_time.utcoffset() == timedelta(0)

    def test_a_document_that_is_gone_is_none(self, users: Users, people: People) -> None:
        user = fresh("ada")
        assert users.get(user) is None
        people.set(user, email="ada@example.com")
        people.remove(user)
        assert users.get(user) is None

    def test_a_status_is_written_whole_and_other_fields_stay(self, users: Users, people: People) -> None:
        document = _new(users, people, email="ada@example.com", restart=True, form={"a": 1})
        agent = Agent("http://ada.localhost/", "pod", NOON, NOON)
        status = replace(document.status, phase="Ready", agent=agent, terms=("ada",), startedAt=NOON)
        document = users.write(document, status, restart=None, state="running")
        document = users.write(document, replace(document.status, startedAt=None))

        stored = users.get(document.id)

        assert stored == document
        assert stored.status == replace(status, startedAt=None)
        assert {k: v for k, v in stored.fields.items() if k != "status"} == {
            "email": "ada@example.com",
            "state": "running",
            "form": {"a": 1},
        }

    def test_every_write_has_a_later_update_time_and_the_same_create_time(self, users: Users, people: People) -> None:
        first = _new(users, people, email="ada@example.com")
        second = users.write(first, replace(first.status, phase="Provisioning"))
        third = users.write(second, replace(second.status, phase="Ready"))

        assert first.update_time < second.update_time < third.update_time
        assert first.create_time == second.create_time == third.create_time

    def test_a_write_over_another_version_is_refused(self, users: Users, people: People) -> None:
        document = _new(users, people, email="ada@example.com")
        people.set(document.id, state="stopped")

        with pytest.raises(DocumentChanged):
            users.write(document, replace(document.status, phase="Ready"))
        current = users.get(document.id)
        assert current is not None
        assert current.fields == {"email": "ada@example.com", "state": "stopped"}

    def test_a_write_of_a_document_that_is_gone_does_not_bring_it_back(self, users: Users, people: People) -> None:
        document = _new(users, people, email="ada@example.com")
        people.remove(document.id)

        with pytest.raises(DocumentChanged):
            users.write(document, replace(document.status, phase="Ready"))
        assert users.get(document.id) is None

    def test_documents_are_found_by_both_emails(self, users: Users, people: People) -> None:
        email = f"{fresh('ada')}@example.com"
        typed = _new(users, people, email=email.title())
        looked_at = _new(users, people, email="other@example.com")
        looked_at = users.write(looked_at, replace(looked_at.status, email=email))

        assert [d.id for d in users.with_status_email(email)] == [looked_at.id]
        assert [d.id for d in users.with_email({email, email.title()})] == [typed.id]

    def test_those_are_due_whose_next_look_has_passed(self, users: Users, people: People) -> None:
        moments = {"past": NOON - timedelta(seconds=1), "now": NOON, "future": NOON + timedelta(seconds=1)}
        documents = {word: _new(users, people, email="a@b.c") for word in (*moments, "never")}
        for word, moment in moments.items():
            users.write(documents[word], replace(documents[word].status, nextLookAt=moment))

        due = set(users.due(NOON)) & {d.id for d in documents.values()}

        assert due == {documents["past"].id, documents["now"].id}

    def test_every_document_is_listed(self, users: Users, people: People) -> None:
        documents = [_new(users, people, email=f"{number}@example.com") for number in range(3)]

        listed = {document.id: document for document in users.every()}

        assert [listed[document.id] for document in documents] == documents

    @pytest.mark.parametrize("observed", ["abc", None], ids=["observed", "not yet observed"])
    def test_forgetting_observed_keeps_the_rest_and_spoils_writes_that_are_under_way(
        self, users: Users, people: People, observed: str | None
    ) -> None:
        document = _new(users, people, email="ada@example.com")
        document = users.write(document, replace(document.status, observed=observed, phase="Ready"))

        users.forget_observed(document.id)

        current = users.get(document.id)
        assert current is not None
        assert replace(current.status, updatedAt=None) == replace(document.status, observed=None)
        with pytest.raises(DocumentChanged):
            users.write(document, replace(document.status, phase="Failed"))

    def test_forgetting_observed_of_a_document_that_is_gone_is_nothing(self, users: Users) -> None:
        user = fresh("ada")
        users.forget_observed(user)
        assert users.get(user) is None


class ClusterContract:
    """`ports.Cluster`; fixtures: `cluster`, and `settle`, which waits until Kubernetes' controllers have acted."""

    def test_what_is_applied_first_is_created(self, cluster: Cluster) -> None:
        manifest = _desired().after[0]

        first, second = cluster.apply(manifest), cluster.apply(manifest)

        assert (first.created, second.created) == (True, False)
        meta = first.live["metadata"]
        assert meta["uid"]
        assert datetime.fromisoformat(meta["creationTimestamp"]).microsecond == 0
        assert meta["labels"] == manifest["metadata"]["labels"]
        assert second.live["metadata"]["resourceVersion"] == meta["resourceVersion"]

    def test_every_object_of_a_user_can_be_applied_twice(self, cluster: Cluster) -> None:
        user = _document()
        objects = _desired(user)
        applied = [*objects.before, objects.notebook or {}, *objects.after]
        assert cluster.create(_claim(user)) is not None

        assert [cluster.apply(each).created for each in applied] == [True] * 6
        assert [cluster.apply(each).created for each in applied] == [False] * 6
        listed = cluster.user_objects(labels.of_user(user.id))
        assert sorted((obj["kind"], obj["metadata"]["name"]) for obj in listed) == sorted(
            (obj["kind"], obj["metadata"]["name"]) for obj in applied
        )

    def test_generation_counts_changes_of_spec_alone(self, cluster: Cluster) -> None:
        manifest = _desired().notebook or {}
        first = cluster.apply(manifest).live["metadata"]["generation"]
        manifest["metadata"]["annotations"]["kupyterhub/user"] = "another"
        same = cluster.apply(manifest).live["metadata"]["generation"]
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/other:2"
        next_one = cluster.apply(manifest).live["metadata"]["generation"]

        assert (same, next_one) == (first, first + 1)

    def test_what_is_no_longer_stated_goes(self, cluster: Cluster) -> None:
        manifest = _desired().after[0]
        manifest["metadata"]["annotations"]["kupyterhub/extra"] = "yes"
        cluster.apply(manifest)
        del manifest["metadata"]["annotations"]["kupyterhub/extra"]

        assert "kupyterhub/extra" not in cluster.apply(manifest).live["metadata"]["annotations"]

    def test_the_notebook_is_read_by_its_name(self, cluster: Cluster) -> None:
        user = _document()
        name = base_name(user.fields["email"])
        assert cluster.read_notebook(name) is None
        cluster.apply(_desired(user).notebook or {})

        live = cluster.read_notebook(name)

        assert live is not None
        assert live["metadata"]["name"] == f"jupyterlab-{name}"

    def test_storage_that_exists_is_left_as_it_is(self, cluster: Cluster) -> None:
        claim = _claim()
        assert cluster.create(claim) is not None
        claim["metadata"]["annotations"]["kupyterhub/user"] = "another"

        assert cluster.create(claim) is None

    def test_a_claim_is_read_by_its_name(self, cluster: Cluster) -> None:
        user = _document()
        name = base_name(user.fields["email"])
        assert cluster.read_claim(name) is None
        cluster.create(_claim(user))

        live = cluster.read_claim(name)

        assert live is not None
        assert live["spec"]["resources"]["requests"] == {"storage": "10Gi"}

    def test_storage_is_no_object_of_a_listing(self, cluster: Cluster) -> None:
        user = _document()
        cluster.create(_claim(user))

        assert cluster.user_objects(labels.of_user(user.id)) == []

    def test_notebooks_are_all_deployments(self, cluster: Cluster) -> None:
        user = _document()
        objects = _desired(user)
        cluster.apply(objects.notebook or {})
        cluster.apply(objects.after[1])

        names = {obj["metadata"]["name"] for obj in cluster.deployments()}

        name = base_name(user.fields["email"])
        assert {f"jupyterlab-{name}", f"agent-{name}"} <= names

    def test_a_listed_object_is_deleted_and_a_second_time_is_success(self, cluster: Cluster) -> None:
        user = _document()
        cluster.apply(_desired(user).after[0])
        (listed,) = cluster.user_objects(labels.of_user(user.id))

        cluster.delete(listed)
        cluster.delete(listed)

        assert cluster.user_objects(labels.of_user(user.id)) == []

    @pytest.mark.parametrize("again", [False, True], ids=["changed since", "made anew since"])
    def test_an_object_that_is_not_what_was_listed_is_not_deleted(self, cluster: Cluster, *, again: bool) -> None:
        user = _document()
        manifest = _desired(user).after[0]
        cluster.apply(manifest)
        (listed,) = cluster.user_objects(labels.of_user(user.id))
        if again:
            cluster.delete(listed)
        manifest["metadata"]["annotations"]["kupyterhub/extra"] = "new"
        cluster.apply(manifest)

        with pytest.raises(ObjectChanged):
            cluster.delete(listed)
        assert len(cluster.user_objects(labels.of_user(user.id))) == 1

    def test_storage_goes_when_nothing_protects_it(self, cluster: Cluster, settle: Callable[[], None]) -> None:
        user = _document()
        name = base_name(user.fields["email"])
        cluster.create(_claim(user))

        cluster.delete_claim(name)
        settle()

        assert cluster.delete_claim(name) is True

    def test_no_pods_are_no_pods(self, cluster: Cluster) -> None:
        assert cluster.pods(labels.of_name(base_name(f"{fresh('ada')}@example.com"))) == []


def _new(users: Users, people: People, **fields: Any) -> UserDocument:
    user = fresh("user")
    people.set(user, **fields)
    document = users.get(user)
    assert document is not None
    return document


def _document() -> UserDocument:
    return UserDocument(fresh("user"), {"email": f"{fresh('ada')}@example.com"}, NOON, NOON)


def _claim(user: UserDocument | None = None) -> dict[str, Any]:
    document = user or _document()
    return claim(document, _wanted(document, SETTINGS))


def _wanted(document: UserDocument, settings: Settings) -> Wanted:
    wanted = judge(document, settings, NOON)
    assert isinstance(wanted, Wanted)
    return wanted


def _desired(user: UserDocument | None = None, settings: Settings = SETTINGS) -> Desired:
    document = user or _document()
    return desired(
        document,
        _wanted(document, settings),
        None,
        Installation(settings, b"k" * 32, "projects/p/topics/agent-events"),
    )
