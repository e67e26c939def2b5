"""kupyterhub.yaml as one frozen tree.

Unknown keys are errors: a misspelt limit must not silently be no limit.
"""

import hashlib
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
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGTPE]i?)?$")]
"""A Kubernetes resource quantity: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", to_lower=True)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True
    )


class Images(_Part):
    """Container images that no profile chooses."""

    agent: str
    jupyterlab: str


class Identity(_Part):
    """How people prove who they are at the proxy."""

    mode: Literal["local"]


class ClusterAccess(_Part):
    """A GKE cluster; without one, the kubeconfig that KUBECONFIG names is used.

    By its DNS endpoint (public roots, no `certificateAuthority`) or by its IP address with the cluster's CA.
    """

    name: Label
    endpoint: Annotated[str, StringConstraints(pattern=r"^https://")]
    certificate_authority: str | None = None


class Storage(_Part):
    """A user's notebooks: a PersistentVolumeClaim of StorageClass `kupyterhub`."""

    kind: Literal["disk"] = "disk"
    size: Quantity = "10Gi"


class Profile(_Part):
    """What one notebook server gets, and when it ends by itself."""

    image: str | None = None
    images: tuple[str, ...] = Field(default=(), strict=False)
    cpu: Quantity = "500m"
    memory: Quantity = "1Gi"
    storage: Storage = Storage()
    idle_timeout: Duration | None = None
    max_age: Duration | None = None
    ready_deadline: Duration = timedelta(minutes=10)


class Settings(_Part):
    """All settings of the controller."""

    namespace: Label = "kupyterhub"
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$")]
    allowed_emails: tuple[str, ...] = Field(strict=False)
    admins: tuple[Email, ...] = Field(default=(), strict=False)
    proxy: Literal["local"] = "local"
    agent: Literal["per-user"] = "per-user"
    identity: Identity = Identity(mode="local")
    images: Images
    clusters: tuple[ClusterAccess, ...] = Field(default=(), max_length=1, strict=False)
    profiles: dict[Label, Profile]

    @property
    def scheme(self) -> str:
        """Of every URL of this installation: plain http on one machine only."""
        return "http" if self.proxy == "local" else "https"

    @property
    def hash(self) -> str:
        """What `status.settings` holds: two installations with equal settings have equal hashes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def image_of(self, profile: Profile) -> str:
        """The image of a notebook whose document does not choose one."""
        return profile.image or (profile.images[0] if profile.images else self.images.jupyterlab)
