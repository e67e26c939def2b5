"""kupyterhub.yaml as one frozen tree.

Unknown keys are errors: a misspelt limit must not silently be no limit.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def _duration(text: Any) -> timedelta:
    parts = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if parts is None or not any(parts.groups()):
        raise ValueError("a duration such as 90s, 15m, 12h or 1d12h is expected")
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i)?$")]
"""A Kubernetes resource quantity: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", to_lower=True)]

Image = Annotated[str, StringConstraints(pattern=r"^\S+$")]
"""The name of a container image."""


INTERNET = "internet"
"""The `egress` that infra/cluster/network-policies.yaml opens."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True
    )


class Images(_Part):
    """Container images that no profile chooses."""

    agent: Image
    jupyterlab: Image


class Identity(_Part):
    """How people prove who they are at our own server; what each mode needs beside it is in `contradictions`.

    A provider's client secret is none of the settings: the server reads it from a file of its own.
    """

    mode: Literal["local", "iap", "oidc"]
    issuer: Annotated[str, StringConstraints(pattern=r"^https://")] | None = None
    client_id: str | None = None
    audience: str | None = None


class ClusterAccess(_Part):
    """A GKE cluster; without one, the kubeconfig that KUBECONFIG names is used.

    By its DNS endpoint (public roots, no `certificateAuthority`) or by its IP address with the cluster's CA.
    """

    name: Label
    endpoint: Annotated[str, StringConstraints(pattern=r"^https://")]
    certificate_authority: str | None = None


class Bucket(_Part):
    """The Cloud Storage bucket of `storage.kind: gcs`, and the project of the cluster whose pods reach it.

    Flat, with uniform bucket-level access; nobody but the controller has rights on the whole of it.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")] | None = None
    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")] | None = None
    project_number: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] | None = None


class Storage(_Part):
    """A user's notebooks: a PersistentVolumeClaim of StorageClass `kupyterhub`, or a folder of the bucket."""

    kind: Literal["disk", "gcs"] = "disk"
    size: Quantity = "10Gi"


class SharedFolder(_Part):
    """A folder of the bucket that everybody of a profile has."""

    name: Label
    access: Literal["read", "write"] = "read"


class Gpu(_Part):
    """Accelerators of one notebook server, by GKE's name of their type; without a type, whichever there is."""

    count: Annotated[int, Field(ge=0, le=16)] = 0
    type: Label | None = None


class Profile(_Part):
    """What one notebook server gets, and when it ends by itself."""

    image: Image | None = None
    images: tuple[Image, ...] = Field(default=(), strict=False)
    cpu: Quantity = "500m"
    memory: Quantity = "1Gi"
    ephemeral_storage: Quantity = "3Gi"
    """What it may write to its node's disk: `/tmp`, its log, and all else that goes with it.

    By default as many notebooks fit on a node of infra/gcp/system by its disk as by its CPUs. On Autopilot the
    containers of a pod have at most 10Gi together, and 1Gi each where they ask for none.
    https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-resource-requests
    """
    gpu: Gpu = Gpu()
    storage: Storage = Storage()
    shared_folders: tuple[SharedFolder, ...] = Field(default=(), strict=False)
    sandbox: Literal["gvisor"] | None = None
    egress: Label = INTERNET
    idle_timeout: Duration | None = None
    activity: tuple[Literal["kernels", "terminals", "tabs"], ...] = Field(
        default=("kernels", "terminals"), strict=False
    )
    max_age: Duration | None = None
    ready_deadline: Duration = timedelta(minutes=10)
    allowed: tuple[str, ...] = Field(default=(), strict=False)
    """Who may choose it in the portal, as patterns of e-mails; administrators give any to anybody."""


class Limits(_Part):
    """How fast changes reach everybody, and how many people new settings may stop."""

    looks_per_minute: Annotated[int, Field(ge=1)] = 600
    """How many users are looked at in a minute because the settings changed."""
    stopped_by_settings: Annotated[float, Field(ge=0, le=1)] = 0.2
    """The share of those who run that new `allowedEmails` may stop; five at least. Where more would be, nobody is."""


class Settings(_Part):
    """All settings of the controller."""

    namespace: Label = "kupyterhub"
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$")] | None = None
    allowed_emails: tuple[str, ...] = Field(strict=False)
    admins: tuple[Email, ...] = Field(default=(), strict=False)
    proxy: Literal["local", "self-hosted", "hosted"] = "local"
    proxy_service: Annotated[str, StringConstraints(pattern=r"^(https?://)?[a-z0-9.-]+:[0-9]+$")] | None = None
    agent: Literal["per-user", "shared"] = "per-user"
    identity: Identity = Identity(mode="local")
    self_enrolment: bool = False
    images: Images
    limits: Limits = Limits()
    bucket: Bucket = Bucket()
    clusters: tuple[ClusterAccess, ...] = Field(default=(), max_length=1, strict=False)
    profiles: dict[Label, Profile]

    @property
    def scheme(self) -> str:
        """Of every URL of this installation: plain http on one machine only."""
        return "http" if self.proxy == "local" else "https"

    def image_of(self, profile: Profile) -> str:
        """The image of a notebook whose document does not choose one."""
        return profile.image or (profile.images[0] if profile.images else self.images.jupyterlab)
