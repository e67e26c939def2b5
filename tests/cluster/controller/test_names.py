"""E-mails and document ids of every legal form, as the API server and Firestore take them."""

import re
from dataclasses import replace

from cluster.controller.system import Person, System, somebody
from kupyterhub_rules.names import base_name

DNS_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
EMAILS = (
    "!#$%&'*+/=?^_`{|}~-.ada@example.com",
    "----@example.com",
    "0@example.com",
    "Grace.HOPPER@Example.com",
    f"{'a' * 242}@example.com",
    f"{'a' * 241}b@example.com",
    f"ada@{'l' * 63}.example.org",
    "slug.of.two@example.com",
    "slug-of-two@example.com",
)
IDS = ("é", "中文", "a%2Fb", "with spaces", "ada@example.com", "$(HOME)", "'\"\\", "..x", "x" * 1000)


def test_every_legal_email_gets_objects_of_its_own(system: System) -> None:
    people = [Person(f"email-{number}", email) for number, email in enumerate(EMAILS)]
    assert max(len(person.email) for person in people) == 254
    for person in people:
        system.enrol(person)

    names = [system.until_made(person)["name"] for person in people]

    assert names == [base_name(email.lower()) for email in EMAILS]
    assert len(set(names)) == len(EMAILS)
    for person in people:
        objects = system.kube.objects(person.name)
        assert len(objects) == 7
        for name in (key.partition(" ")[2] for key in objects):
            assert DNS_LABEL.fullmatch(name)
        annotations = objects[f"Deployment jupyterlab-{person.name}"]["metadata"]["annotations"]
        assert annotations["kupyterhub/email"] == person.email.lower()


def test_every_document_id_is_provisioned_and_removed_again(system: System) -> None:
    people = [replace(somebody("id"), user=user) for user in IDS]
    for person in people:
        system.enrol(person)
    for person in people:
        system.until_made(person)
        agent = system.kube.objects(person.name)[f"Deployment agent-{person.name}"]
        assert agent["metadata"]["annotations"]["kupyterhub/user"] == person.user

    for person in people:
        system.remove(person.user)

    for person in people:
        system.until_storage_is_left(person)
