"""What is wrong with a document is said in it, and neither tried again nor allowed to end anybody's kernels."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.controller.kube import uids
from cluster.controller.system import Person, System, somebody, until

LONG = "x" * 100_000
BAD = {
    "no e-mail": ({"email": None}, "EmailMissing", ["email:", "ada@example.com"]),
    "malformed e-mail": ({"email": "ada at example"}, "EmailMalformed", ["email:", "ada at example", "254"]),
    "e-mail that is a number": ({"email": 7}, "InvalidField", ["email:", "text", "a number"]),
    "e-mail that is not allowed": (
        {"email": "eve@elsewhere.net"},
        "EmailNotAllowed",
        ["email:", "eve@elsewhere.net", "*@example.com", "*.example.org"],
    ),
    "unknown profile": ({"profile": "bgi"}, "UnknownProfile", ["profile:", "'bgi'", "big, default"]),
    "profile that is a list": ({"profile": ["big"]}, "InvalidField", ["profile:", "text", "a list"]),
    "unknown state": ({"state": "paused"}, "InvalidField", ["state:", "running, stopped, deleted"]),
    "image without a choice": ({"image": "evil:1"}, "ImageNotAllowed", ["image:", "'evil:1'", "leave the field out"]),
    "image that is none of those": (
        {"profile": "big", "image": "evil:1"},
        "ImageNotAllowed",
        ["image:", "registry.example/big:1, registry.example/big:2"],
    ),
    "end that is text": ({"expiresAt": "tomorrow"}, "InvalidField", ["expiresAt:", "a timestamp", "text"]),
    "restart that is text": ({"restart": "yes"}, "InvalidField", ["restart:", "true or false"]),
    "purge of one who runs": ({"purge": True}, "PurgeWhileRunning", ["purge:", "state: deleted"]),
    "100 KB of e-mail": ({"email": LONG}, "EmailMalformed", ["email:", "254"]),
    "100 KB of profile": ({"profile": LONG}, "UnknownProfile", ["profile:", "big, default"]),
    "100 KB of name": ({"displayName": LONG}, "InvalidField", ["displayName:", "100000", "200"]),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_document_is_rejected_with_words_that_help(system: System, case: str) -> None:
    fields, reason, words = BAD[case]
    eve = somebody("eve")
    before = system.kube.all_objects()
    failures = system.log("bridge").count(" attempt ")

    system.set(eve.user, **{"email": eve.email, **fields})
    status = system.until_phase(eve.user, "Rejected", reason=reason)
    system.quiet()

    assert [word for word in words if word not in status["message"]] == []
    assert len(status["message"]) < 500
    assert system.kube.all_objects().items() <= before.items()
    assert system.log("bridge").count(" attempt ") == failures
    assert len(system.lines(f"users/{eve.user}:")) == 1


def test_what_a_form_adds_is_left_alone_however_long(system: System) -> None:
    ada = somebody()
    system.enrol(ada, form={"essay": LONG})
    system.until_phase(ada.user, "Provisioning")

    assert (system.fields(ada.user) or {})["form"] == {"essay": LONG}


def test_a_second_document_of_one_email_is_rejected_and_follows_by_itself(system: System) -> None:
    ada = somebody()
    second = replace(ada, user=f"{ada.user}-again")
    system.enrol(ada)
    system.until_made(ada)
    before = uids(system.kube.objects(ada.name))

    system.set(second.user, email=ada.email.upper())
    status = system.until_phase(second.user, "Rejected", reason="DuplicateEmail")
    assert ada.email in status["message"]
    assert uids(system.kube.objects(ada.name)) == before

    system.remove(ada.user)
    system.until_made(second)
    until(lambda: owners(system, ada) == {second.user}, "all is the second's")


TYPOS: dict[str, dict[str, Any]] = {
    "unknown profile": {"profile": "bgi"},
    "malformed e-mail": {"email": "ada@"},
    "missing e-mail": {"email": None},
    "wrong type": {"image": 5},
}


@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_ends_nobodys_kernels(system: System, typo: str) -> None:
    ada = somebody()
    system.enrol(ada)
    system.make_ready(ada)
    before = system.kube.objects(ada.name)

    system.set(ada.user, **TYPOS[typo])
    status = system.until_phase(ada.user, "Rejected")

    assert status["message"].endswith("What runs is left running.")
    assert uids(system.kube.objects(ada.name)) == uids(before)
    system.set(ada.user, email=ada.email, **dict.fromkeys(TYPOS[typo].keys() - {"email"}))
    assert system.until_phase(ada.user, "Ready")["proxyUrl"] == system.url(ada)
    after = system.kube.objects(ada.name)
    assert uids(after) == uids(before)
    deployment = f"Deployment jupyterlab-{ada.name}"
    assert after[deployment]["metadata"]["generation"] == before[deployment]["metadata"]["generation"]


def test_somebody_who_is_no_longer_allowed_is_stopped(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")

    system.set(ada.user, email="ada@elsewhere.net")
    system.until_phase(ada.user, "Rejected", reason="EmailNotAllowed")

    system.until_storage_is_left(ada)


def owners(system: System, person: Person) -> set[str]:
    """Documents that the objects of an e-mail say they belong to, the storage left out."""
    objects = system.kube.objects(person.name)
    return {
        obj["metadata"]["annotations"]["kupyterhub/user"]
        for key, obj in objects.items()
        if not key.startswith("PersistentVolumeClaim")
    }
