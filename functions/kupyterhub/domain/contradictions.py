"""What is wrong with settings that are well-formed: things that do not fit together."""

from collections.abc import Iterator

from kupyterhub.domain.settings import Bucket, Identity, Profile, Settings

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
    yield from _of_bucket(settings.bucket)
    for name, profile in settings.profiles.items():
        yield from ((f"profiles.{name}.{path}", what) for path, what in _of_profile(profile, settings))


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


def _of_bucket(bucket: Bucket) -> Iterator[tuple[str, str]]:
    given = {"name": bucket.name, "project": bucket.project, "projectNumber": bucket.project_number}
    for key, value in given.items():
        if value is None and any(given.values()):
            yield f"bucket.{key}", "is missing; a bucket needs name, project and projectNumber"


def _of_profile(profile: Profile, settings: Settings) -> Iterator[tuple[str, str]]:
    if profile.storage.kind == "gcs" and settings.proxy == "local":
        yield "storage.kind", "is gcs, a bucket of Google Cloud, which one machine does not have; write disk"
    elif profile.storage.kind == "gcs" and settings.bucket.name is None:
        yield "storage.kind", "is gcs, but bucket.name is missing"
    if profile.shared_folders and profile.storage.kind != "gcs":
        yield "sharedFolders", "are in the bucket; write storage.kind: gcs as well, or leave them out"
    names = [folder.name for folder in profile.shared_folders]
    if len(set(names)) < len(names):
        yield "sharedFolders", "names a folder twice"
    if profile.gpu.type and not profile.gpu.count:
        yield "gpu.count", "is missing; gpu.type says of what kind, not how many"
