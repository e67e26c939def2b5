"""What the API server refuses, told to people. The answers are those of a real one, of Kubernetes 1.36."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kupyterhub.domain.names import token
from kupyterhub.domain.quoting import masked
from kupyterhub.domain.refusals import Trouble, refusal, refusal_of_message
from kupyterhub_rules.names import base_name

POD = "jupyterlab-ada-example-com-0123456789abcdef-569796b668-vd8z6"
TOKEN = token(b"k", "ada")
SECRET = "my-little-secret"  # noqa: S105 - what must not be told


def status(message: str, *causes: tuple[str, str], code: int = 422, **details: str) -> dict[str, Any]:
    """A `Status` as the API server answers it; a cause is a field and a message about it."""
    listed = [{"reason": "FieldValueInvalid", "field": field, "message": text} for field, text in causes]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": {403: "Forbidden", 404: "NotFound", 422: "Invalid"}.get(code, "BadRequest"),
        "details": {**details, **({"causes": listed} if listed else {})},
        "code": code,
    }


def refused(reason: str, message: str) -> Trouble:
    return Trouble(reason, message, refused=True)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            "exceeded quota: kupyterhub, requested: requests.cpu=4,requests.memory=10Gi, "
            "used: requests.cpu=1,requests.memory=1Gi, limited: requests.cpu=3,requests.memory=9Gi",
            refused(
                "QuotaExceeded",
                "The quota kupyterhub has no room: CPU (4 asked for, 1 of 3 used), memory (10Gi asked for, 1Gi of "
                "9Gi used). Something else has to stop first, or an administrator should raise the quota.",
            ),
            id="a quota",
        ),
        pytest.param(
            "[exceeded quota: a, requested: limits.cpu=2, used: limits.cpu=8, limited: limits.cpu=9, "
            "exceeded quota: b, requested: pods=1,requests.nvidia.com/gpu=1, used: pods=5,requests.nvidia.com/gpu=0, "
            "limited: pods=5,requests.nvidia.com/gpu=0]",
            refused(
                "QuotaExceeded",
                "The quota a has no room: limits of CPU (2 asked for, 8 of 9 used); b has no room: pods (1 asked "
                "for, 5 of 5 used), nvidia.com/gpu (1 asked for, 0 of 0 used). Something else has to stop first, or "
                "an administrator should raise the quota.",
            ),
            id="two quotas",
        ),
        pytest.param(
            "failed quota: kupyterhub: must specify limits.cpu for: a; limits.memory for: a,b",
            refused(
                "ResourcesUnspecified",
                "The quota kupyterhub counts what some container of its pod leaves out: limits.cpu for: a; "
                "limits.memory for: a,b. An administrator should take that out of the quota, or add a LimitRange "
                "with defaults.",
            ),
            id="a quota of what the pod leaves out",
        ),
        pytest.param(
            "maximum memory usage per Container is 1Gi, but limit is 4Gi",
            refused(
                "LimitRangeViolated",
                "A LimitRange of the namespace does not allow it: maximum memory usage per Container is 1Gi, but "
                "limit is 4Gi. An administrator should change cpu and memory of the profile, or the LimitRange.",
            ),
            id="a LimitRange",
        ),
        pytest.param(
            "[minimum cpu usage per Pod is 1, but request is 10m, "
            "memory max limit to request ratio per Container is 2, but provided ratio is 4.000000]",
            refused(
                "LimitRangeViolated",
                "A LimitRange of the namespace does not allow it: minimum cpu usage per Pod is 1, but request is "
                "10m, memory max limit to request ratio per Container is 2, but provided ratio is 4.000000. An "
                "administrator should change cpu and memory of the profile, or the LimitRange.",
            ),
            id="two rules of a LimitRange",
        ),
        pytest.param(
            'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), '
            'runAsNonRoot != true (pod or container "jupyterlab" must set securityContext.runAsNonRoot=true)',
            refused(
                "PodSecurityViolated",
                "Its pod does not keep to the Pod Security Standard restricted:latest: host namespaces "
                '(hostNetwork=true), runAsNonRoot != true (pod or container "jupyterlab" must set '
                "securityContext.runAsNonRoot=true). An administrator should compare the namespace with "
                "infra/cluster/namespace.yaml, and see what changes its pods.",
            ),
            id="PodSecurity",
        ),
        pytest.param(
            "ValidatingAdmissionPolicy 'images' with binding 'everywhere' denied request: only our registry.",
            refused(
                "AdmissionPolicyDenied",
                "The admission policy images denies it: only our registry. An administrator should see to what it "
                "asks for.",
            ),
            id="an admission policy",
        ),
        pytest.param(
            'error looking up service account kupyterhub/notebook-x: serviceaccount "notebook-x" not found',
            refused(
                "ServiceAccountMissing",
                "The ServiceAccount kupyterhub/notebook-x of its pod is missing. It is made again when the functions "
                "look next; if this stays, an administrator should see who deletes it.",
            ),
            id="no ServiceAccount",
        ),
        pytest.param(
            "unable to create new content in namespace kupyterhub because it is being terminated",
            refused(
                "NamespaceTerminating",
                "The namespace kupyterhub is being deleted, and lets nothing new in. When it is gone, an "
                "administrator should apply infra/cluster again.",
            ),
            id="a namespace that goes",
        ),
        pytest.param(
            'pod rejected: RuntimeClass "gvisor" not found',
            refused(
                "RefusedByKubernetes",
                f'Kubernetes refuses it: pods "{POD}" is forbidden: pod rejected: RuntimeClass "gvisor" not found.',
            ),
            id="anything else",
        ),
    ],
)
def test_a_pod_that_is_not_let_in_is_told_of_alike_by_answer_and_condition(message: str, expected: Trouble) -> None:
    text = f'pods "{POD}" is forbidden: {message}'

    assert refusal_of_message(text) == expected
    assert refusal(status(text, code=403, kind="pods", name=POD)) == expected


@pytest.mark.parametrize(
    ("message", "told"),
    [
        pytest.param(
            'admission webhook "images.example.com" denied the request: the image\n is not signed.',
            "The admission webhook images.example.com denies it: the image is not signed. An administrator should "
            "see to what it asks for.",
            id="with its sentence",
        ),
        pytest.param(
            'admission webhook "images.example.com" denied the request without explanation',
            "The admission webhook images.example.com denies it. An administrator should see to what it asks for.",
            id="without one",
        ),
        pytest.param(
            'admission webhook "images.example.com" denied the request: namespaces "registry" not found',
            'The admission webhook images.example.com denies it: namespaces "registry" not found. An administrator '
            "should see to what it asks for.",
            id="with a sentence like one of Kubernetes' own",
        ),
    ],
)
def test_a_webhooks_own_sentence_is_told(message: str, told: str) -> None:
    assert refusal(status(message, code=400)) == refused("AdmissionDenied", told)


@pytest.mark.parametrize(
    ("message", "lacks"),
    [
        pytest.param(
            'deployments.apps "d" is forbidden: User "system:serviceaccount:kupyterhub:kupyterhub" cannot patch '
            'resource "deployments" in API group "apps" in the namespace "kupyterhub"',
            "system:serviceaccount:kupyterhub:kupyterhub lacks the right to patch deployments.apps in the namespace "
            "kupyterhub",
            id="in an API group",
        ),
        pytest.param(
            'secrets is forbidden: User "f@p.iam.gserviceaccount.com" cannot create resource "secrets" in API group '
            '"" in the namespace "kupyterhub": requires one of ["container.secrets.create"] permission(s).',
            "f@p.iam.gserviceaccount.com lacks the right to create secrets in the namespace kupyterhub",
            id="of a Secret, on GKE",
        ),
        pytest.param(
            'nodes is forbidden: User "f" cannot list resource "nodes" in API group "" at the cluster scope',
            "f lacks the right to list nodes",
            id="of the whole cluster",
        ),
    ],
)
def test_a_missing_right_is_told_with_its_verb_and_resource(message: str, lacks: str) -> None:
    assert refusal(status(message, code=403)) == refused(
        "RightsMissing",
        f"The functions' account {lacks}. An administrator should apply infra/cluster/rbac.yaml, after "
        "namespace.yaml where that is missing.",
    )


def test_a_missing_namespace_is_told() -> None:
    body = status('namespaces "kupyterhub" not found', code=404, kind="namespaces", name="kupyterhub")

    assert refusal(body) == refused(
        "NamespaceMissing", "The cluster has no namespace kupyterhub. An administrator should apply infra/cluster."
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            status(
                "whatever",
                ("spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
                ("spec.template.spec.containers[0].image", "Required value"),
                kind="Deployment",
                name="d",
            ),
            "Deployment d: spec.replicas (Invalid value: -1: must be greater than or equal to 0), "
            "spec.template.spec.containers[0].image (Required value). An administrator should check the settings.",
            id="each field by its cause",
        ),
        pytest.param(
            status(
                "whatever",
                ("spec.selector", 'Invalid value: {"matchLabels":{"x":"a","y":{"z":[1]}}}: field is immutable'),
                ("spec.tolerations", 'Invalid value: []core.Toleration{core.Toleration{Key:"k"}}: too odd'),
                kind="Deployment",
                name="d",
            ),
            "Deployment d: spec.selector (Invalid value: field is immutable), spec.tolerations (Invalid value: too "
            "odd). An administrator should check the settings.",
            id="without the parts of the object",
        ),
        pytest.param(
            status("whatever", *((f"spec.f{number}", "") for number in range(7)), kind="Service", name="s"),
            "Service s: spec.f0, spec.f1, spec.f2, spec.f3, spec.f4 and 2 more.",
            id="no more than a few",
        ),
        pytest.param(
            status(
                'Pod "p" is invalid: [spec.a: Invalid value: {"x":1}: no, spec.b: Invalid value: "8Gi": too much]'
            ),
            'Pod p: spec.a: Invalid value: no, spec.b: Invalid value: "8Gi": too much. An administrator should check '
            "the settings.",
            id="by the message where there are no causes",
        ),
        pytest.param(
            {
                "message": "failed to create typed patch object (/d; apps/v1, Kind=Deployment): .spec.replicas: "
                "expected numeric (int or float), got string",
                "code": 500,
            },
            "Deployment d: .spec.replicas: expected numeric (int or float), got string. An administrator should "
            "check the settings.",
            id="what cannot be applied at all",
        ),
    ],
)
def test_wrong_fields_are_named_with_what_is_wrong(body: dict[str, Any], told: str) -> None:
    assert refusal(body) == refused("InvalidObject", f"Kubernetes does not accept {told}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            status(
                f'Secret "s" is invalid: data[token]: Invalid value: "{SECRET}": no',
                ("data[token]", f'Invalid value: "{SECRET}": no'),
                kind="Secret",
                name="s",
            ),
            refused("InvalidObject", "Kubernetes does not accept Secret s: data[token]."),
            id="causes",
        ),
        pytest.param(
            status(f'Secret "s" is invalid: [data[a b]: Invalid value: "{SECRET}": no, type: Required value]'),
            refused("InvalidObject", "Kubernetes does not accept Secret s: data[a b], type."),
            id="no causes",
        ),
        pytest.param(
            {
                "message": "failed to create typed patch object (/s; /v1, Kind=Secret): .data.token: expected "
                f'string, got &value.valueUnstructured{{Value:map[string]interface {{}}{{"a":"{SECRET}"}}}}',
                "code": 500,
            },
            refused("InvalidObject", "Kubernetes does not accept Secret s: .data.token."),
            id="applied",
        ),
        pytest.param(
            status(f'Secret in version "v1" cannot be handled as a Secret: {SECRET}', code=400),
            refused("RefusedByKubernetes", "Kubernetes refuses the Secret; what it says of that is not repeated."),
            id="created",
        ),
        pytest.param(
            status(
                f"secrets \"s\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: {SECRET}",
                kind="secrets",
                name="s",
            ),
            refused(
                "AdmissionPolicyDenied",
                "The admission policy p denies it. An administrator should see to what it asks for.",
            ),
            id="policy",
        ),
        pytest.param(
            status(f"the server does not like {SECRET}", kind="secrets", name="s", code=403),
            refused("RefusedByKubernetes", "Kubernetes refuses the Secret s; what it says of that is not repeated."),
            id="anything else",
        ),
    ],
)
def test_of_a_secret_only_names_are_told(body: dict[str, Any], expected: Trouble) -> None:
    assert refusal(body) == expected
    assert SECRET not in expected.message


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            'Internal error occurred: failed calling webhook "away.example.com": failed to call webhook: Post '
            '"https://127.0.0.1:1/?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
            Trouble(
                "AdmissionUnavailable",
                "The admission webhook away.example.com does not answer, and nothing is let in without it; it is "
                "tried again. If this stays, an administrator should see to the webhook.",
            ),
            id="a webhook that is away",
        ),
        pytest.param(
            "Internal error occurred: resource quota evaluation timed out",
            Trouble(
                "FailedCreate",
                "Kubernetes failed this time and tries again: Internal error occurred: resource quota evaluation "
                "timed out.",
            ),
            id="an error",
        ),
        pytest.param(
            'pods "p" is forbidden: status unknown for quota: kupyterhub, resources: pods',
            Trouble(
                "FailedCreate",
                'Kubernetes failed this time and tries again: pods "p" is forbidden: status unknown for quota: '
                "kupyterhub, resources: pods.",
            ),
            id="a quota that is not counted yet",
        ),
    ],
)
def test_what_passes_by_itself_is_not_refused(message: str, expected: Trouble) -> None:
    assert refusal_of_message(message) == expected


@pytest.mark.parametrize("body", [{}, {"message": None, "details": None}, {"message": ""}], ids=repr)
def test_an_answer_without_a_word_is_told_as_that(body: dict[str, Any]) -> None:
    assert refusal(body) == refused("RefusedByKubernetes", "Kubernetes refuses it without saying why.")


@pytest.mark.parametrize(
    "secret",
    [TOKEN, TOKEN[:32], "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0IQ==", "AIzaSyA1-bC2_dE3-fG4_hI5-jK6_lM7-nO8_pQ9"],
    ids=["hex", "short hex", "base64", "base64 for URLs"],
)
def test_tokens_are_masked_wherever_they_stand(secret: str) -> None:
    told = refusal_of_message(f'admission webhook "w" denied the request: no ?token={secret}, or so').message

    assert told.startswith("The admission webhook w denies it: no ?token=…, or so. ")


@pytest.mark.parametrize(
    "name",
    [
        POD,
        f"home-{base_name('grace.hopper.of.the.navy@example.com')}",
        "/var/run/secrets/kubernetes.io/serviceaccount",
        "pvc-123e4567-e89b-12d3-a456-426614174000",
    ],
    ids=["pod", "claim", "path", "volume"],
)
def test_names_are_not_masked_however_long(name: str) -> None:
    assert masked(name) == name


def test_what_kubernetes_says_is_one_line_of_no_more_than_300_characters() -> None:
    told = refusal_of_message(f"no\r\n\t\x1b[31mroom\x1b[0m\u202e\x00 {'for it ' * 100}").message

    quote = told.removeprefix("Kubernetes refuses it: ")
    assert quote.startswith("no room for it for it")
    assert quote.endswith("…")
    assert 290 < len(quote) <= 300


@given(st.text(), st.sampled_from([400, 403, 404, 413, 422]))
def test_whatever_is_answered_has_a_reason_and_a_printable_message(message: str, code: int) -> None:
    told = refusal(json.loads(json.dumps(status(message, code=code))))

    assert told.reason
    assert told.message.isprintable()
