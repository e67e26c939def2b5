"""What the ports promise, as tests that twin and real adapter both pass.

A test module subclasses a contract and gives its fixtures; for a real system somebody else may use it at the same
time, so every name here is fresh.
"""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest

from kupyterhub.domain.desired import KEYS, NOTEBOOK, Desired, desired
from kupyterhub.domain.differs import Approval
from kupyterhub.domain.drift import covers, owned
from kupyterhub.domain.errors import DocumentChanged, ObjectChanged
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests.storage import claim
from kupyterhub.domain.policy import Wanted, judge
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import Agent, Change, UserDocument
from kupyterhub.ports import Cluster, Record, Users
from kupyterhub_rules.names import base_name
from twins.world import IN_BUCKET, SETTINGS

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


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
        agent = Agent("http://ada.localhost/", "pod", LONG_AGO, LONG_AGO)
        changes = (Change("Ready", LONG_AGO, event="on_user_written 1"),)
        status = replace(
            document.status, phase="Ready", agent=agent, terms=("ada",), startedAt=LONG_AGO, changes=changes
        )
        document = users.write(document, Record(status, fields=(("restart", None), ("state", "running"))))
        document = users.write(document, Record(replace(document.status, startedAt=None)))

        stored = users.get(document.id)

        assert stored == document
        assert stored.status == replace(status, startedAt=None)
        assert {k: v for k, v in stored.fields.items() if k != "status"} == {
            "email": "ada@example.com",
            "state": "running",
            "form": {"a": 1},
        }

    def test_a_null_is_read_as_it_is_stored(self, users: Users, people: People) -> None:
        document = _new(users, people, email="ada@example.com", profile=None, status=None)

        assert document.fields == {"email": "ada@example.com", "profile": None, "status": None}

    def test_every_write_has_a_later_update_time_and_the_same_create_time(self, users: Users, people: People) -> None:
        first = _new(users, people, email="ada@example.com")
        second = _phase(users, first, "Provisioning")
        third = _phase(users, second, "Ready")

        assert first.update_time < second.update_time < third.update_time
        assert first.create_time == second.create_time == third.create_time

    def test_a_write_over_another_version_is_refused(self, users: Users, people: People) -> None:
        document = _new(users, people, email="ada@example.com")
        people.set(document.id, state="stopped")

        with pytest.raises(DocumentChanged):
            _phase(users, document, "Ready")
        current = users.get(document.id)
        assert current is not None
        assert current.fields == {"email": "ada@example.com", "state": "stopped"}

    def test_a_write_of_a_document_that_is_gone_does_not_bring_it_back(self, users: Users, people: People) -> None:
        document = _new(users, people, email="ada@example.com")
        people.remove(document.id)

        with pytest.raises(DocumentChanged):
            _phase(users, document, "Ready")
        assert users.get(document.id) is None

    def test_a_document_is_read_as_it_was_at_a_time(self, users: Users, people: People) -> None:
        before = _new(users, people, email="ada@example.com")
        people.set(before.id, email="bob@example.com")

        then = users.get(before.id, at=before.update_time)

        assert then is not None
        assert then.fields == {"email": "ada@example.com"}

    def test_documents_are_found_by_both_emails(self, users: Users, people: People) -> None:
        email = f"{fresh('ada')}@example.com"
        spelled = [_new(users, people, email=each) for each in (email, email.title(), email.upper(), f" \t{email}")]
        looked_at = _new(users, people, email="other@example.com")
        looked_at = users.write(looked_at, Record(replace(looked_at.status, email=email)))

        assert [d.id for d in users.with_status_email(email)] == [looked_at.id]
        assert {d.id for d in users.with_email(email)} == {d.id for d in spelled}

    def test_those_are_due_whose_next_look_has_passed(self, users: Users, people: People) -> None:
        moments = {"past": NOON - timedelta(seconds=1), "now": NOON, "future": NOON + timedelta(seconds=1)}
        documents = {word: _new(users, people, email="a@b.c") for word in (*moments, "never")}
        for word, moment in moments.items():
            users.write(documents[word], Record(replace(documents[word].status, nextLookAt=moment)))

        due = set(users.due(NOON)) & {d.id for d in documents.values()}

        assert due == {documents["past"].id, documents["now"].id}

    def test_those_of_other_settings_are_found(self, users: Users, people: People) -> None:
        settings, documents = fresh("settings"), [_new(users, people, email="a@b.c") for _ in range(3)]
        for document, of in zip(documents, (settings, fresh("other"), None), strict=True):
            users.write(document, Record(replace(document.status, settings=of, phase="Ready")))

        assert set(users.of_other_settings(settings, 1000)) & {d.id for d in documents} == {documents[1].id}
        assert len(users.of_other_settings(settings, 1)) == 1

    def test_every_document_is_listed(self, users: Users, people: People) -> None:
        documents = [_new(users, people, email=f"{number}@example.com") for number in range(3)]

        listed = {document.id: document for document in users.every()}

        assert [listed[document.id] for document in documents] == documents

    def test_a_name_is_taken_together_with_the_status(self, users: Users, people: People) -> None:
        document, name = _new(users, people, email="ada@example.com"), fresh("ada")
        asked: list[object] = []

        taken = _take(users, document, name, asked.append)

        assert isinstance(taken, UserDocument)
        assert users.get(document.id) == taken
        assert taken.status.name == name
        claim = users.claim(name)
        assert claim is not None
        assert (claim.name, claim.user, claim.since, claim.purging) == (name, document.id, LONG_AGO, False)
        assert asked == [None]
        assert users.claims_of(document.id) == [claim]
        assert claim in list(users.every_claim())

    def test_a_name_that_is_held_is_not_taken(self, users: Users, people: People) -> None:
        first, second = (_new(users, people, email="ada@example.com") for _ in range(2))
        name = fresh("ada")
        first = _taken(users, first, name)
        told: list[object] = []

        answer = _take(users, second, name, lambda holder: told.append(holder) or first.id)

        assert answer == first.id
        assert told == [first]
        assert users.get(second.id) == second

    def test_a_document_that_has_changed_takes_nothing(self, users: Users, people: People) -> None:
        document, name = _new(users, people, email="ada@example.com"), fresh("ada")
        people.set(document.id, state="stopped")

        with pytest.raises(DocumentChanged):
            _taken(users, document, name)
        assert users.claim(name) is None

    def test_a_claim_that_has_changed_is_not_taken_over(self, users: Users, people: People) -> None:
        first, second, third = (_new(users, people, email="ada@example.com") for _ in range(3))
        name = fresh("ada")
        _taken(users, first, name)
        before = users.claim(name)
        _taken(users, second, name)

        for stale in (before, None):
            with pytest.raises(DocumentChanged):
                users.take(third, name, Record(third.status), lambda _: None, before=stale, since=LONG_AGO)
        claim = users.claim(name)
        assert claim is not None
        assert claim.user == second.id

    def test_of_many_who_take_a_name_at_once_one_has_it(self, users: Users, people: People) -> None:
        """And at once: with locks they would wait for each other, and none would have it."""
        gone, *waiting = (_new(users, people, email="ada@example.com") for _ in range(9))
        name = fresh("ada")
        _taken(users, gone, name)
        before = users.claim(name)

        def take(document: UserDocument) -> str | None:
            record = Record(replace(document.status, name=name))
            try:
                users.take(document, name, record, lambda _: None, before=before, since=LONG_AGO)
            except DocumentChanged:
                return None
            return document.id

        with ThreadPoolExecutor(len(waiting)) as threads:
            took = list(filter(None, threads.map(take, waiting)))

        claim = users.claim(name)
        assert claim is not None
        assert took == [claim.user]

    def test_a_claim_goes_with_a_status(self, users: Users, people: People) -> None:
        document, name = _new(users, people, email="ada@example.com"), fresh("ada")
        document = _taken(users, document, name)

        users.write(document, Record(replace(document.status, phase="Deleted"), release=users.claim(name)))

        assert users.claim(name) is None

    def test_a_claim_that_is_another_ones_by_now_does_not_go(self, users: Users, people: People) -> None:
        first, second = (_new(users, people, email="ada@example.com") for _ in range(2))
        name = fresh("ada")
        first, before = _taken(users, first, name), users.claim(name)
        _taken(users, second, name)

        with pytest.raises(DocumentChanged):
            users.write(first, Record(replace(first.status, phase="Deleted"), release=before))
        assert users.get(first.id) == first
        claim = users.claim(name)
        assert claim is not None
        assert claim.user == second.id
        assert before is not None
        users.release(before, lambda _: False)
        assert users.claim(name) == claim

    @pytest.mark.parametrize("counts", [True, False], ids=["counts", "does not count"])
    def test_a_claim_is_let_go_of_where_its_holder_does_not_count(
        self, users: Users, people: People, *, counts: bool
    ) -> None:
        document, name = _new(users, people, email="ada@example.com"), fresh("ada")
        document, told = _taken(users, document, name), []
        claim = users.claim(name)
        assert claim is not None

        users.release(claim, lambda holder: told.append(holder) or counts)

        assert told == [document]
        assert (users.claim(name) is None) is not counts

    def test_a_name_is_purged_for_nobody_unless_somebody_is_there(self, users: Users, people: People) -> None:
        document, name, free = _new(users, people, email="ada@example.com"), fresh("ada"), fresh("free")
        document, told = _taken(users, document, name), []
        held = users.claim(name)

        assert users.purge_for_nobody(name, NOON, lambda *said: told.append(said) or True) is None
        assert told == [(held, document)]
        assert users.claim(name) == held

        for each in (free, name):
            claim = users.purge_for_nobody(each, NOON, lambda *_: False)
            assert claim is not None
            assert claim == users.claim(each)
            assert (claim.user, claim.since, claim.purging) == ("", NOON, True)

    def test_what_an_event_has_done_is_in_the_history(self, users: Users, people: People) -> None:
        document, event = _new(users, people, email="ada@example.com"), fresh("on_delete_user 1")
        change = Change("Deleted", NOON, event=event)
        users.write(document, Record(replace(document.status, phase="Deleted"), history=(change,)))

        assert users.has_seen(document.id, event) is True
        assert users.has_seen(document.id, fresh("on_delete_user 1")) is False
        assert users.has_seen(_new(users, people, email="ada@example.com").id, event) is False

    def test_whom_a_message_is_on_its_way_to_is_known_until_it_has_come(self, users: Users) -> None:
        ada, bob = fresh("ada"), fresh("bob")

        users.note_asked([ada, bob], NOON, thoroughly=False)
        users.note_answered(bob, NOON + timedelta(seconds=1))
        users.note_answered(fresh("eve"), NOON)

        assert users.asked([ada, bob], NOON + timedelta(hours=1), thoroughly=False) == {ada}
        assert users.asked([ada, bob], NOON + timedelta(hours=1), thoroughly=True) == set()
        assert users.asked([ada, bob], NOON + timedelta(hours=3), thoroughly=False) == set()

    def test_an_answer_that_comes_before_the_question_was_noted_counts(self, users: Users) -> None:
        ada = fresh("ada")

        users.note_answered(ada, NOON + timedelta(seconds=1))
        users.note_asked([ada], NOON, thoroughly=False)

        assert users.asked([ada], NOON + timedelta(minutes=1), thoroughly=False) == set()

    def test_what_a_resync_said_of_new_settings_is_kept(self, users: Users) -> None:
        approval = Approval(fresh("settings"), stops=3, running=10, given=True)

        users.approve(approval)

        assert users.approval() == approval


class ClusterContract:
    """`ports.Cluster`; fixtures: `cluster`, and `settle`, which waits until Kubernetes' controllers have acted."""

    def test_what_is_created_is_there_and_not_created_again(self, cluster: Cluster) -> None:
        manifest = _service()

        first, second = cluster.create(manifest), cluster.create(manifest)

        assert second is None
        assert first is not None
        meta = first["metadata"]
        assert meta["uid"]
        assert datetime.fromisoformat(meta["creationTimestamp"]).microsecond == 0
        assert meta["labels"] == manifest["metadata"]["labels"]
        assert _read(cluster, manifest)["metadata"]["resourceVersion"] == meta["resourceVersion"]

    def test_what_is_applied_as_it_is_changes_nothing(self, cluster: Cluster) -> None:
        manifest = _service()
        cluster.create(manifest)
        cluster.apply(manifest, _read(cluster, manifest))
        before = _read(cluster, manifest)

        after = cluster.apply(manifest, before)

        assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]

    def test_every_object_of_a_user_can_be_created_and_applied(self, cluster: Cluster) -> None:
        user = _document()
        objects = _desired(user)
        made = [*(piece.manifest for piece in objects.pieces), objects.notebook]
        assert cluster.create(_claim(user)) is not None

        for manifest in made:
            assert cluster.create(manifest) is not None
            assert _applied(cluster, manifest)
        listed, named = cluster.of_user(user.id), cluster.of_name(base_name(user.fields["email"]))
        assert _kinds_and_names(listed) == _kinds_and_names(made) == _kinds_and_names(named)
        assert {tuple(sorted(obj)) for obj in [*listed, *named]} == {("apiVersion", "kind", "metadata")}

    @pytest.mark.parametrize("write", ["apply", "annotate", "delete"])
    def test_what_is_not_as_it_was_read_is_left_alone(self, cluster: Cluster, write: str) -> None:
        manifest = _service()
        cluster.create(manifest)
        before = _read(cluster, manifest)
        changed = _with_annotation(manifest, "kupyterhub/extra", "theirs")
        after = cluster.apply(changed, before)

        with pytest.raises(ObjectChanged):
            _write(cluster, write, manifest, before)
        assert _read(cluster, manifest)["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]

    @pytest.mark.parametrize("write", ["apply", "annotate", "delete"])
    def test_what_was_made_anew_since_it_was_read_is_left_alone(self, cluster: Cluster, write: str) -> None:
        manifest = _service()
        cluster.create(manifest)
        before = _read(cluster, manifest)
        cluster.delete(before)
        cluster.create(manifest)

        with pytest.raises(ObjectChanged):
            _write(cluster, write, manifest, before)
        assert _read(cluster, manifest)

    @pytest.mark.parametrize("write", ["apply", "annotate"])
    def test_what_is_gone_since_it_was_read_is_not_brought_back(self, cluster: Cluster, write: str) -> None:
        manifest = _service()
        cluster.create(manifest)
        before = _read(cluster, manifest)
        cluster.delete(before)
        cluster.delete(before)

        with pytest.raises(ObjectChanged):
            _write(cluster, write, manifest, before)
        assert cluster.read("Service", manifest["metadata"]["name"]) is None

    def test_generation_counts_changes_of_spec_alone(self, cluster: Cluster) -> None:
        manifest = _desired().notebook
        first = cluster.create(manifest)
        same = _applied(cluster, _with_annotation(manifest, "kupyterhub/user", "another"))
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/other:2"
        next_one = cluster.apply(manifest, same)

        generations = [obj and obj["metadata"]["generation"] for obj in (first, same, next_one)]
        assert generations == [1, 1, 2]

    def test_what_is_no_longer_stated_goes(self, cluster: Cluster) -> None:
        manifest = _service()
        cluster.create(_with_annotation(manifest, "kupyterhub/extra", "yes"))
        read = cluster.read("Service", manifest["metadata"]["name"])
        assert read is not None

        assert "kupyterhub/extra" not in cluster.apply(manifest, read)["metadata"]["annotations"]

    def test_a_part_of_a_template_that_is_no_longer_stated_goes(self, cluster: Cluster) -> None:
        manifest = _desired().notebook
        container = manifest["spec"]["template"]["spec"]["containers"][0]
        container["env"].append({"name": "FORMER", "value": "1"})
        cluster.create(manifest)
        container["env"].pop()

        after = _applied(cluster, manifest)

        env = after["spec"]["template"]["spec"]["containers"][0]["env"]
        assert "FORMER" not in {each["name"] for each in env}

    def test_an_annotation_changes_nothing_else(self, cluster: Cluster) -> None:
        manifest = _desired().notebook
        before = cluster.create(manifest)
        assert before is not None

        annotated = _calmly(cluster.annotate, cluster, _with_annotation(manifest, "kupyterhub/applied", "x"))
        again = _applied(cluster, _with_annotation(manifest, "kupyterhub/applied", "y"))

        assert annotated["spec"] == before["spec"] == again["spec"]
        said = [each["metadata"]["annotations"]["kupyterhub/applied"] for each in (annotated, again)]
        assert said == ["x", "y"]

    @pytest.mark.parametrize("key", [NOTEBOOK, *KEYS])
    def test_what_was_created_or_applied_is_owned_whole(self, cluster: Cluster, key: str) -> None:
        objects = _desired(settings=IN_BUCKET)
        made = {NOTEBOOK: objects.notebook, **{piece.key: piece.manifest for piece in objects.pieces}}
        created = cluster.create(made[key])
        assert created is not None
        assert covers(owned(created["metadata"]), made[key])

        applied = _applied(cluster, made[key])
        assert covers(owned(applied["metadata"]), made[key])

    def test_the_notebook_and_its_agent_are_read_by_their_name(self, cluster: Cluster) -> None:
        user = _document()
        name, objects = base_name(user.fields["email"]), _desired(user)
        assert (cluster.read_notebook(name), cluster.read_agent(name)) == (None, None)
        for manifest in (*(piece.manifest for piece in objects.pieces), objects.notebook):
            cluster.create(manifest)

        found = [cluster.read_notebook(name), cluster.read_agent(name)]

        assert [obj and obj["metadata"]["name"] for obj in found] == [f"jupyterlab-{name}", f"agent-{name}"]
        assert all(obj and "template" in obj["spec"] for obj in found)

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

    def test_storage_is_no_object_of_a_user(self, cluster: Cluster) -> None:
        user = _document()
        cluster.create(_claim(user))

        assert cluster.of_user(user.id) == []
        assert cluster.of_name(base_name(user.fields["email"])) == []

    def test_everything_is_listed_with_what_is_compared(self, cluster: Cluster) -> None:
        user = _document()
        name, objects = base_name(user.fields["email"]), _desired(user)
        for manifest in (_claim(user), *(piece.manifest for piece in objects.pieces), objects.notebook):
            cluster.create(manifest)

        found = {obj.key: obj for obj in cluster.every() if obj.name == name}

        assert found.keys() == {
            "PersistentVolumeClaim home",
            NOTEBOOK,
            *(piece.key for piece in objects.pieces),
        }
        assert {obj.user for obj in found.values()} == {user.id}
        assert covers(found[NOTEBOOK].owned, objects.notebook)
        assert found[NOTEBOOK].available is False

    def test_a_deleted_object_is_gone_and_a_second_time_is_success(self, cluster: Cluster) -> None:
        manifest = _service()
        cluster.create(manifest)
        read = _read(cluster, manifest)

        cluster.delete(read)
        cluster.delete(read)

        assert cluster.read("Service", manifest["metadata"]["name"]) is None

    def test_storage_goes_when_nothing_protects_it(self, cluster: Cluster, settle: Callable[[], None]) -> None:
        user = _document()
        name = base_name(user.fields["email"])
        cluster.create(_claim(user))
        settle()
        claim = _delete_claim(cluster, name)
        settle()

        assert cluster.read_claim(name) is None
        assert cluster.delete_claim(claim) is True

    def test_storage_that_is_not_as_it_was_read_stays(self, cluster: Cluster, settle: Callable[[], None]) -> None:
        user = _document()
        name = base_name(user.fields["email"])
        cluster.create(_claim(user))
        settle()
        claim = cluster.read_claim(name)
        assert claim is not None

        with pytest.raises(ObjectChanged):
            cluster.delete_claim({**claim, "metadata": {**claim["metadata"], "resourceVersion": "999999999"}})
        still = cluster.read_claim(name)
        assert still is not None
        assert "deletionTimestamp" not in still["metadata"]

    def test_no_pods_are_no_pods(self, cluster: Cluster) -> None:
        assert cluster.pods(base_name(f"{fresh('ada')}@example.com")) == []


def _phase(users: Users, document: UserDocument, phase: str) -> UserDocument:
    return users.write(document, Record(replace(document.status, phase=phase)))


def _take(users: Users, document: UserDocument, name: str, blocked: Callable[..., str | None]) -> UserDocument | str:
    record = Record(replace(document.status, name=name))
    return users.take(document, name, record, blocked, before=users.claim(name), since=LONG_AGO)


def _taken(users: Users, document: UserDocument, name: str) -> UserDocument:
    taken = _take(users, document, name, lambda *_: None)
    assert isinstance(taken, UserDocument)
    return taken


def _service() -> dict[str, Any]:
    return next(piece.manifest for piece in _desired().pieces if piece.key == "Service jupyterlab")


def _with_annotation(manifest: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    meta = manifest["metadata"]
    return {**manifest, "metadata": {**meta, "annotations": {**meta["annotations"], name: value}}}


def _read(cluster: Cluster, manifest: dict[str, Any]) -> dict[str, Any]:
    read = cluster.read(manifest["kind"], manifest["metadata"]["name"])
    assert read is not None
    return read


def _applied(cluster: Cluster, manifest: dict[str, Any]) -> dict[str, Any]:
    return _calmly(cluster.apply, cluster, manifest)


def _calmly(
    write: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]], cluster: Cluster, manifest: dict[str, Any]
) -> dict[str, Any]:
    """Write it over what is there, whatever Kubernetes' controllers write about a new Deployment meanwhile."""
    for _ in range(20):
        try:
            return write(manifest, _read(cluster, manifest))
        except ObjectChanged:
            time.sleep(0.1)
    raise AssertionError(f"others keep changing {manifest['metadata']['name']}")


def _write(cluster: Cluster, how: str, manifest: dict[str, Any], read: dict[str, Any]) -> None:
    match how:
        case "apply":
            cluster.apply(manifest, read)
        case "annotate":
            cluster.annotate(manifest, read)
        case "delete":
            cluster.delete(read)


def _kinds_and_names(objects: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((obj["kind"], obj["metadata"]["name"]) for obj in objects)


def _new(users: Users, people: People, **fields: Any) -> UserDocument:
    user = fresh("user")
    people.set(user, **fields)
    document = users.get(user)
    assert document is not None
    return document


def _delete_claim(cluster: Cluster, name: str) -> Object:
    """Delete it as it was read; Kubernetes may just be writing into it."""
    for _ in range(5):
        claim = cluster.read_claim(name)
        assert claim is not None
        with contextlib.suppress(ObjectChanged):
            cluster.delete_claim(claim)
            return claim
    raise AssertionError(f"the claim of {name} changes at each look")


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
