"""Folders of the bucket, and who may do what in each: IAM policies as plain dicts, as the storage API has them.

A folder's policy holds for everything below it. Nobody is named on the bucket, so who is not named on a folder cannot
tell that it is there.
"""

from typing import Any

from kupyterhub.domain.settings import Bucket

Policy = dict[str, Any]
Grants = dict[str, frozenset[str]]
"""Members by role."""

OBJECT_USER = "roles/storage.objectUser"
OBJECT_VIEWER = "roles/storage.objectViewer"
ROLES = {"read": OBJECT_VIEWER, "write": OBJECT_USER}
"""The role of each `access` of a shared folder. Neither can change who has access."""
MOST_MEMBERS = 1500
"""Of one policy: https://cloud.google.com/iam/quotas"""


def own_folder(name: str) -> str:
    """The managed folder of one person's notebooks."""
    return f"{name}/"


def shared_folder(name: str) -> str:
    """The managed folder that a group shares; no person's is called so, for each of theirs ends in a hash."""
    return f"shared/{name}/"


def principal(bucket: Bucket, namespace: str, name: str) -> str:
    """Who a pod is that runs as `notebook-<name>`, in IAM's words.

    https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#principal-id-examples
    """
    pool = f"projects/{bucket.project_number}/locations/global/workloadIdentityPools/{bucket.project}.svc.id.goog"
    return f"principal://iam.googleapis.com/{pool}/subject/ns/{namespace}/sa/notebook-{name}"


def grants_of(policy: Policy) -> Grants:
    """Who has which role by a policy."""
    found: Grants = {}
    for binding in policy.get("bindings", []):
        found[binding["role"]] = found.get(binding["role"], frozenset()) | frozenset(binding["members"])
    return found


def owned_by(member: str) -> Grants:
    """What is granted on a person's own folder: to them, and to nobody else."""
    return {OBJECT_USER: frozenset({member})}


def shared_with(grants: Grants, member: str, role: str | None) -> Grants:
    """The grants of a shared folder once one person has this role alone, or (None) none."""
    others = {each: members - {member} for each, members in grants.items()}
    wanted = others if role is None else {**others, role: others.get(role, frozenset()) | {member}}
    return {each: members for each, members in wanted.items() if members}


def with_grants(policy: Policy, grants: Grants) -> Policy:
    """A policy that says this instead, and is refused if it is no longer the one that was read."""
    bindings = [{"role": role, "members": sorted(members)} for role, members in sorted(grants.items())]
    return {**policy, "bindings": bindings}
