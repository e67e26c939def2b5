"""kupyterhub.yaml as one frozen tree.

Unknown keys are errors: a misspelt limit must not silently be no limit.
"""

import hashlib
import re
from collections.abc import Iterator
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
    activity: tuple[Literal["kernels", "terminals", "tabs"], ...] = Field(
        default=("kernels", "terminals"), strict=False
    )
    max_age: Duration | None = None
    ready_deadline: Duration = timedelta(minutes=10)


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


_OF_MODE = {"issuer": "oidc", "clientId": "oidc", "audience": "iap"}
"""Which mode of `identity` a key belongs to; that mode needs it, and the others have no use for it."""


def contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """What does not fit together: the path of a field, and what is wrong with it and what to do."""
    if "default" not in settings.profiles:
        yield "profiles.default", "is missing; users without a profile get it"
    if settings.proxy != "hosted" and settings.domain is None:
        yield "domain", "is missing; users are at <name>.<domain>"
    if settings.proxy != "self-hosted" and settings.proxy_service:
        yield "proxyService", "is of proxy: self-hosted; leave it out"
    yield from _of_identity(settings.proxy, settings.identity)


def _of_identity(proxy: str, identity: Identity) -> Iterator[tuple[str, str]]:
    mode = identity.mode
    if proxy == "local" and mode != "local":
        yield "identity.mode", f"is {mode}, which needs proxy: self-hosted; with proxy: local only local works"
    if proxy == "self-hosted" and mode == "local":
        yield "identity.mode", "is local, where everybody may be anybody; with proxy: self-hosted write iap or oidc"
    if proxy == "hosted" and mode != "local":
        yield (
            "identity.mode",
            f"is {mode}, but with proxy: hosted Google signs people in; leave identity out",
        )
    given = {"issuer": identity.issuer, "clientId": identity.client_id, "audience": identity.audience}
    for key, of_mode in _OF_MODE.items():
        if mode == of_mode and not given[key]:
            yield f"identity.{key}", f"is missing; mode {mode} needs it"
        if mode != of_mode and given[key]:
            yield f"identity.{key}", f"is of mode {of_mode}; leave it out with mode {mode}"
