"""What the API server refuses, in words for people: from the `Status` that it answers with, or from its text alone.

How each text begins is in Kubernetes' sources: k8s.io/apiserver, pkg/admission and pkg/endpoints/handlers;
k8s.io/kubernetes, plugin/pkg/admission; k8s.io/apimachinery, pkg/api/errors. No object's content gets into a message.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kupyterhub.domain import wrong_fields
from kupyterhub.domain.quoting import masked, one_line, quoted, said
from kupyterhub.domain.wrong_fields import WrongFields

_OF_SETTINGS = ("Deployment", "ReplicaSet", "Pod", "PersistentVolumeClaim")


@dataclass(frozen=True)
class Trouble:
    """Why a notebook does not run, in a CamelCase word and a sentence for people."""

    reason: str
    message: str
    refused: bool = False
    """Kubernetes refuses it: waiting alone does not help."""


def refusal(body: Mapping[str, Any]) -> Trouble:
    """Read a `Status` with which a request was refused: of 400, 403, 404 for its namespace, 413 or 422.

    To what is applied and cannot be read the API server answers 500, without a reason; that is understood as well.
    What only failed this time, and may be asked again as it is, is not `refused`.
    """
    message, details = one_line(str(body.get("message") or "")), body.get("details") or {}
    kind, name = str(details.get("kind") or ""), str(details.get("name") or "")
    secret = kind.lower() in ("secret", "secrets") or bool(_OF_SECRET.search(message))
    if secret:
        message = _DENIAL.sub(r"\1", message)
    if found := _of_kind(message, _STATED) or _rights(message) or _quota(message):
        return found
    if causes := [cause for cause in details.get("causes") or [] if cause.get("field")]:
        return _invalid(wrong_fields.of_causes(kind, name, causes, secret=secret))
    if wrong := wrong_fields.of_text(message, secret=secret):
        return _invalid(wrong)
    if secret:
        # Its text could quote the Secret.
        what = f"the Secret {name}".strip()
        return _refused("RefusedByKubernetes", f"Kubernetes refuses {what}; what it says of that is not repeated.")
    return _of_kind(message, _SENTENCES) or _passing(message) or _other(message)


def refusal_of_message(message: str) -> Trouble:
    """The same from the text alone, as a Deployment's condition `ReplicaFailure` carries it."""
    return refusal({"message": message})


@dataclass(frozen=True)
class _Kind:
    reason: str
    pattern: re.Pattern[str]
    message: str
    """With the pattern's groups; `says` is what somebody says of it, and ends the sentence."""


_STATED = (
    _Kind(
        "AdmissionDenied",
        re.compile(r'admission webhook "(?P<by>[^"]+)" denied the request(?:: (?P<says>.+))?'),
        "The admission webhook {by} denies it{says} An administrator should see to what it asks for.",
    ),
    _Kind(
        "AdmissionPolicyDenied",
        re.compile(r"[Pp]olicy '(?P<by>[^']+)'(?: with binding '[^']*')? denied request(?:: (?P<says>.+))?"),
        "The admission policy {by} denies it{says} An administrator should see to what it asks for.",
    ),
    _Kind(
        "NamespaceMissing",
        re.compile(r'\bnamespaces? "(?P<name>[^"]+)" not found'),
        "The cluster has no namespace {name}. An administrator should apply infra/cluster.",
    ),
    _Kind(
        "NamespaceTerminating",
        re.compile(r"new content in namespace (?P<name>\S+) because it is being terminated"),
        "The namespace {name} is being deleted, and lets nothing new in. When it is gone, an administrator should "
        "apply infra/cluster again.",
    ),
    _Kind(
        "ServiceAccountMissing",
        re.compile(r'error looking up service account (?P<name>\S+): serviceaccount "[^"]*" not found'),
        "The ServiceAccount {name} of its pod is missing. It is made again when the functions look next; if this "
        "stays, an administrator should see who deletes it.",
    ),
    _Kind(
        "ResourcesUnspecified",
        re.compile(r"failed quota: (?P<quota>\S+): must specify (?P<missing>.+)"),
        "The quota {quota} counts what some container of its pod leaves out: {missing}. An administrator should take "
        "that out of the quota, or add a LimitRange with defaults.",
    ),
)
"""Made of names alone, but for what somebody says of it."""

_SENTENCES = (
    _Kind(
        "PodSecurityViolated",
        re.compile(r'violates PodSecurity "(?P<level>[^"]+)"(?:: (?P<says>.+))?'),
        "Its pod does not keep to the Pod Security Standard {level}{says} An administrator should compare the "
        "namespace with infra/cluster/namespace.yaml, and see what changes its pods.",
    ),
    _Kind(
        "LimitRangeViolated",
        re.compile(r"(?P<says>(?:m(?:ax|in)imum \S+ usage per|\S+ max limit to request ratio per) [^\]]+)"),
        "A LimitRange of the namespace does not allow it{says} An administrator should change cpu and memory of the "
        "profile, or the LimitRange.",
    ),
)


def _of_kind(message: str, kinds: Iterable[_Kind]) -> Trouble | None:
    for kind in kinds:
        if found := kind.pattern.search(message):
            groups = {name: quoted(text) for name, text in found.groupdict("").items()}
            says = f": {said(found['says'])}" if groups.get("says") else "."
            return _refused(kind.reason, kind.message.format_map({**groups, "says": says}))
    return None


def _refused(reason: str, message: str) -> Trouble:
    return Trouble(reason, masked(message), refused=True)


def _rights(message: str) -> Trouble | None:
    found = _RIGHTS.search(message)
    if found is None:
        return None
    resource = f"{found['resource']}.{found['group']}" if found["group"] else found["resource"]
    where = f" in the namespace {found['namespace']}" if found["namespace"] else ""
    return _refused(
        "RightsMissing",
        f"The functions' account {quoted(found['user'])} lacks the right to {found['verb']} {resource}{where}. "
        "An administrator should apply infra/cluster/rbac.yaml, after namespace.yaml where that is missing.",
    )


def _quota(message: str) -> Trouble | None:
    short = "; ".join(f"{found['quota']} has no room: {_short(found)}" for found in _QUOTA.finditer(message))
    if not short:
        return None
    return _refused(
        "QuotaExceeded",
        f"The quota {quoted(short)}. Something else has to stop first, or an administrator should raise the quota.",
    )


def _short(found: re.Match[str]) -> str:
    asked, used, limited = (
        dict(part.split("=", 1) for part in found[key].split(",") if "=" in part)
        for key in ("requested", "used", "limited")
    )
    return ", ".join(
        f"{_resource(name)} ({amount} asked for, {used.get(name, '?')} of {limited.get(name, '?')} used)"
        for name, amount in asked.items()
    )


def _resource(name: str) -> str:
    what = name.removeprefix("requests.").removeprefix("limits.")
    what = "CPU" if what == "cpu" else what
    return f"limits of {what}" if name.startswith("limits.") else what


def _invalid(wrong: WrongFields) -> Trouble:
    what = f"{wrong.kind} {wrong.name}".strip() or "it"
    advice = " An administrator should check the settings." if wrong.kind.split(".")[0] in _OF_SETTINGS else ""
    return _refused("InvalidObject", f"Kubernetes does not accept {what}: {wrong.fields}.{advice}")


def _passing(message: str) -> Trouble | None:
    if webhook := _UNREACHABLE.search(message):
        return Trouble(
            "AdmissionUnavailable",
            f"The admission webhook {quoted(webhook[1])} does not answer, and nothing is let in without it; it is "
            "tried again. If this stays, an administrator should see to the webhook.",
        )
    if _PASSING.search(message):
        return Trouble("FailedCreate", f"Kubernetes failed this time and tries again: {said(message)}")
    return None


def _other(message: str) -> Trouble:
    says = f": {said(message)}" if message else " without saying why."
    return _refused("RefusedByKubernetes", f"Kubernetes refuses it{says}")


_OF_SECRET = re.compile(r"^secrets?\b|\bKind=Secret\b", re.IGNORECASE)
_DENIAL = re.compile(r"(denied (?:the )?request\b).*")
_RIGHTS = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,\s]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: "
    r"(?P<limited>[^\s\]]+)"
)
_UNREACHABLE = re.compile(r'failed calling webhook "([^"]+)"')
_PASSING = re.compile(
    r"^Internal error occurred|status unknown for quota|the object has been modified|etcdserver: |context deadline "
    r"exceeded|request did not complete|unable to handle the request|connection refused|too many requests",
    re.IGNORECASE,
)
"""What fails in passing; all but the quota's is no refusal but an error of Kubernetes' own."""
