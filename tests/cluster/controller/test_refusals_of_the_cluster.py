"""What Kubernetes refuses is said in words, tried again by steps, and over once it is mended."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from cluster.controller.alone import PATHS, Alone
from cluster.controller.kube import Object
from cluster.controller.system import Person, somebody, until
from kupyterhub.domain.errors import ClusterRefused
from kupyterhub.domain.settings import Profile
from kupyterhub.domain.users import Status
from kupyterhub_local.state import CHECKOUT

KINDS = (
    "persistentvolumeclaims",
    "secrets",
    "services",
    "serviceaccounts",
    "networkpolicies.networking.k8s.io",
    "deployments.apps",
)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ada(alone: Alone) -> Person:
    """Somebody who is enrolled and not looked at yet."""
    ada = somebody()
    alone.set(ada.user, email=ada.email)
    return ada


def look(alone: Alone, person: Person) -> Status:
    alone.look(person.user)
    return alone.document(person.user).status


def becomes_ready(alone: Alone, person: Person) -> None:
    """What kept somebody from running is mended; the next look starts, and an announcement makes Ready."""
    assert look(alone, person).phase == "Provisioning"
    until(lambda: alone.kube.run_pods(person.name, alone.namespace), "its pods run")
    alone.look(person.user, announcement=alone.announcement(person))
    assert alone.document(person.user).status.phase == "Ready"


def quota(alone: Alone, **hard: str) -> Callable[[], None]:
    """Have a quota that is used up; calling what is returned takes it away."""
    path = PATHS["ResourceQuota"].format(namespace=alone.namespace, name="full")
    alone.apply("ResourceQuota", "full", spec={"hard": hard})
    until(lambda: (alone.kube.get(path) or {}).get("status", {}).get("hard") == hard, "the quota is counted")
    return lambda: alone.kube.delete(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quota_that_is_used_up_is_said_and_over_once_it_is_gone(alone: Alone, ada: Person, kind: str) -> None:
    # A namespace has a ServiceAccount of its own, and infra/cluster one for notebooks.
    mend = quota(alone, **{f"count/{kind}": "2" if kind == "serviceaccounts" else "0"})

    status = look(alone, ada)

    assert (status.phase, status.reason) == ("Failed", "QuotaExceeded")
    assert status.message is not None
    assert status.message.startswith(f"The quota full has no room: count/{kind} (1 asked for, ")
    assert [change.phase for change in status.changes] == ["Provisioning", "Failed"]
    mend()
    becomes_ready(alone, ada)


def test_what_is_refused_is_tried_again_after_one_two_and_four_minutes(alone: Alone, ada: Person) -> None:
    quota(alone, **{"count/services": "0"})
    before = datetime.now(UTC)

    first = look(alone, ada).nextLookAt
    tries = [first]
    for ahead in (1, 3):
        # Within the five minutes by which clocks may differ.
        assert look(alone, ada).nextLookAt == tries[-1]
        alone.ahead = ahead * MINUTE + timedelta(seconds=2)
        tries.append(look(alone, ada).nextLookAt)

    assert first is not None
    assert MINUTE <= first - before < MINUTE + timedelta(seconds=30)
    assert [moment and moment - first for moment in tries] == [0 * MINUTE, 2 * MINUTE, 6 * MINUTE]


def test_a_field_that_kubernetes_does_not_take_is_named(alone: Alone, ada: Person) -> None:
    settings = alone.settings
    profile = Profile.model_validate({"storage": {"size": "0"}})
    alone.settings = settings.model_copy(update={"profiles": {"default": profile}})

    status = look(alone, ada)

    assert (status.phase, status.reason) == ("Failed", "InvalidObject")
    assert f"PersistentVolumeClaim home-{ada.name}: spec.resources[storage]" in (status.message or "")
    alone.settings = settings
    becomes_ready(alone, ada)


def deny(alone: Alone) -> Callable[[], None]:
    """Have an admission policy that lets no Deployment into the namespace."""
    name, group = alone.namespace, "admissionregistration.k8s.io/v1"
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
    content: dict[str, Object] = {
        "ValidatingAdmissionPolicy": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "false", "message": "Not in the exam week."}],
        },
        "ValidatingAdmissionPolicyBinding": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": namespace,
        },
    }
    plurals = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
    paths = {kind: f"apis/{group}/{plural}/{name}" for kind, plural in zip(content, plurals, strict=True)}
    for kind, spec in content.items():
        alone.kube.apply(paths[kind], {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec})
    deployment = {
        "metadata": {"name": "try"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "a", "image": "a"}]},
            },
        },
    }

    def denied() -> bool:
        return "Not in" in (alone.kube.dry_run("apis/apps/v1", "deployments", deployment, alone.namespace) or "")

    until(denied, "the policy is enforced")

    def mend() -> None:
        for path in paths.values():
            alone.kube.delete(path)
        until(lambda: not denied(), "the policy is not enforced")

    return mend


def test_what_an_admission_policy_denies_is_said_and_over_once_it_is_gone(alone: Alone, ada: Person) -> None:
    mend = deny(alone)

    status = look(alone, ada)

    assert (status.phase, status.reason) == ("Failed", "AdmissionPolicyDenied")
    assert "Not in the exam week." in (status.message or "")
    mend()
    becomes_ready(alone, ada)


def forbid(alone: Alone, kept: Callable[[str, str], bool]) -> Callable[[], None]:
    """Take rights from the functions' Role, for all resources and verbs that are not kept."""
    documents = yaml.safe_load_all((CHECKOUT / "infra/cluster/rbac.yaml").read_text())
    (rules,) = (
        each["rules"] for each in documents if (each["kind"], each["metadata"]["name"]) == ("Role", "kupyterhub")
    )
    fewer: list[Object] = [
        {**rule, "resources": [resource], "verbs": [verb for verb in rule["verbs"] if kept(resource, verb)]}
        for rule in rules
        for resource in rule["resources"]
    ]
    alone.apply("Role", "kupyterhub", rules=[rule for rule in fewer if rule["verbs"]])
    return lambda: alone.apply("Role", "kupyterhub", rules=rules)


@pytest.mark.parametrize("resource", ["persistentvolumeclaims", "secrets", "services", "apps/deployments"])
def test_a_right_that_the_functions_lack_is_said_and_over_once_it_is_given(
    alone: Alone, ada: Person, resource: str
) -> None:
    mend = forbid(alone, lambda of, verb: (of, verb) != (resource.rpartition("/")[2], "create"))
    until(lambda: not alone.may("create", resource), "the right is taken away")

    status = look(alone, ada)

    assert (status.phase, status.reason) == ("Failed", "RightsMissing")
    assert f"lacks the right to create {'.'.join(reversed(resource.split('/')))}" in (status.message or "")
    assert status.nextLookAt is not None
    mend()
    until(lambda: alone.may("create", resource), "the right is given")
    becomes_ready(alone, ada)


@pytest.mark.parametrize("way", ["stopped", "deleted", "gone"])
def test_who_cannot_be_removed_is_removed_once_the_functions_may(alone: Alone, ada: Person, way: str) -> None:
    alone.ready(ada)
    mend = forbid(alone, lambda _, verb: verb != "delete")
    until(lambda: not alone.may("delete", "apps/deployments"), "the right is taken away")

    if way == "gone":
        alone.remove(ada.user)
        # There is no status that could ask for another look; the event comes again.
        with pytest.raises(ClusterRefused):
            alone.look(ada.user, email=ada.email)
    else:
        alone.set(ada.user, state=way)
        status = look(alone, ada)
        assert (status.phase, status.reason) == ("Failed", "RightsMissing")
        assert "lacks the right to delete deployments.apps" in (status.message or "")
        assert status.nextLookAt is not None

    mend()
    until(lambda: alone.may("delete", "apps/deployments"), "the right is given")
    alone.look(ada.user, email=ada.email if way == "gone" else None)
    assert alone.running(ada) == frozenset()
    if way != "gone":
        assert alone.document(ada.user).status.phase == way.title()


def test_pods_that_no_quota_lets_in_are_said_in_its_words(alone: Alone, ada: Person) -> None:
    mend = quota(alone, pods="0")
    assert look(alone, ada).phase == "Provisioning"

    status = until(lambda: found if (found := look(alone, ada)).phase == "Failed" else None, "no pod is let in")

    assert status.reason == "QuotaExceeded"
    assert status.message is not None
    assert status.message.startswith("The quota full has no room: pods (1 asked for, 0 of 0 used).")
    assert status.startedAt is not None
    assert len(alone.running(ada)) == 6
    mend()
    until(lambda: alone.kube.run_pods(ada.name, alone.namespace), "its pods run")
    assert look(alone, ada).phase == "Provisioning"
    alone.look(ada.user, announcement=alone.announcement(ada))
    assert alone.document(ada.user).status.phase == "Ready"


def test_a_change_that_is_refused_leaves_who_runs_ready(alone: Alone, ada: Person) -> None:
    alone.ready(ada)
    mend = forbid(alone, lambda of, verb: (of, verb) != ("services", "patch"))
    until(lambda: not alone.may("patch", "services"), "the right is taken away")
    profile = alone.settings.profiles["default"].model_copy(update={"idle_timeout": timedelta(hours=2)})
    alone.settings = alone.settings.model_copy(update={"profiles": {"default": profile}})
    alone.set(ada.user, restart=True)

    status = look(alone, ada)
    assert "lacks the right to patch services" in (status.message or "")
    mend()
    until(lambda: alone.may("patch", "services"), "the right is given")
    alone.look(ada.user)
    service = alone.objects(ada)[f"Service jupyterlab-{ada.name}"]
    assert service["metadata"]["annotations"]["kupyterhub/idle-timeout"] == "7200"


def test_what_becomes_of_somebody_is_an_event_of_their_deployment(alone: Alone, ada: Person) -> None:
    alone.ready(ada)
    alone.set(ada.user, state="stopped")
    alone.look(ada.user)

    events = [
        event
        for event in alone.kube.items("api/v1", "events", alone.namespace)
        if event["source"].get("component") == "kupyterhub"
    ]
    about = {(event["involvedObject"]["kind"], event["involvedObject"]["name"]) for event in events}
    assert about == {("Deployment", f"jupyterlab-{ada.name}")}
    assert sorted(event["reason"] for event in events) == ["Provisioning", "Ready", "Stopped"]
    assert {event["type"] for event in events} == {"Normal"}


def test_an_event_that_may_not_be_written_keeps_nobody_from_running(alone: Alone, ada: Person) -> None:
    forbid(alone, lambda of, _: of != "events")
    until(lambda: not alone.may("create", "events"), "the right is taken away")

    alone.ready(ada)

    assert "POST" in alone.api.requests[-1]
    assert alone.kube.items("api/v1", "events", alone.namespace, fieldSelector="reason=Ready") == []


def test_what_kubernetes_says_of_a_pod_may_be_read(alone: Alone, ada: Person) -> None:
    alone.look(ada.user)

    def warned() -> list[Object]:
        return [said for pod in alone.cluster.pods(ada.name) for said in alone.cluster.warnings(pod)]

    found = until(warned, "the scheduler says that there is no node")
    assert {said["reason"] for said in found} == {"FailedScheduling"}
