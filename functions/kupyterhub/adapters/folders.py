"""`storage.kind: gcs`, shared folders among it: managed folders in Cloud Storage, by its JSON API.

The API has a client library for folders; these few requests need no more than the session that google-auth, imported
anyway, brings along, and cost the cold start nothing. https://cloud.google.com/storage/docs/json_api/v1/managedFolder
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter

from kupyterhub.domain import folders
from kupyterhub.domain.errors import SettingsError, StorageRefused, TransientError
from kupyterhub.domain.folders import Grants
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument

_API = "https://storage.googleapis.com/storage/v1/b"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT = (5.0, 30.0)
_ATTEMPTS = 5
"""At a policy that others are changing, too: a class that starts together shares one folder."""
_AT_ONCE = 16
_GONE = (HTTPStatus.NOT_FOUND,)
_CHANGED = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)


def connect() -> AuthorizedSession:
    """A session with Google's credentials; raises SettingsError where none are found."""
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except GoogleAuthError as e:
        raise SettingsError("bucket: no Google credentials were found for it") from e
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    session.mount("https://", HTTPAdapter(pool_maxsize=_AT_ONCE))
    return session


class Folders:
    """`ports.Storage` in the bucket that the settings name."""

    def __init__(self, session: AuthorizedSession, settings: Settings, *, most_deleted: int = 5000) -> None:
        """`most_deleted` objects go in one look, which takes some twenty seconds; the next look goes on."""
        self._session = session
        self._most_deleted = most_deleted
        self._settings = settings
        self._bucket = f"{_API}/{settings.bucket.name}"

    def make(self, user: UserDocument, wanted: Wanted) -> bool:  # noqa: ARG002 - it belongs to the e-mail alone
        """Make the person's own folder and grant it to them alone; give and take rights on shared ones."""
        member = self._member(wanted.name)
        own = folders.own_folder(wanted.name)
        created = self._create(own)
        self._grant(own, lambda _: folders.owned_by(member))
        roles = {each.name: folders.ROLES[each.access] for each in wanted.profile.shared_folders}
        for name in roles:
            self._create(folders.shared_folder(name))
        self._share(member, roles)
        return created

    def delete(self, name: str, still: Callable[[], None]) -> bool:
        """Take the person's rights on shared folders, delete what is in their own, and then that."""
        own = folders.own_folder(name)
        objects = self._names("o", own, most=self._most_deleted)
        still()
        self._share(self._member(name), {})
        with ThreadPoolExecutor(_AT_ONCE) as at_once:
            list(at_once.map(self._delete, (_path("o", each) for each in objects)))
        if len(objects) >= self._most_deleted:
            return False
        # A person may have made managed folders in their own; the innermost go first.
        inner_first = sorted(self._names("managedFolders", own), reverse=True)
        return all(self._delete(_path("managedFolders", each)) for each in inner_first)

    def _member(self, name: str) -> str:
        return folders.principal(self._settings.bucket, self._settings.namespace, name)

    def _share(self, member: str, roles: dict[str, str]) -> None:
        """Let somebody have these roles on shared folders, by name, and none on any other."""
        known = {each.name for profile in self._settings.profiles.values() for each in profile.shared_folders}
        for name in sorted(known):
            self._grant(folders.shared_folder(name), partial(_shared_with, name, member, roles.get(name)))

    def _create(self, folder: str) -> bool:
        status, _ = self._request("POST", "managedFolders", body={"name": folder}, refusals=(HTTPStatus.CONFLICT,))
        return status != HTTPStatus.CONFLICT

    def _grant(self, folder: str, change: Callable[[Grants], Grants]) -> None:
        """Change who may do what in a folder, where there is one, whoever else changes it at the same time."""
        path = _path("managedFolders", folder) + "/iam"
        for _ in range(_ATTEMPTS):
            status, policy = self._request("GET", path, refusals=_GONE)
            if status in _GONE:
                return
            before = folders.grants_of(policy)
            wanted = change(before)
            if wanted == before:
                return
            body = folders.with_grants(policy, wanted)
            if self._request("PUT", path, body=body, refusals=_CHANGED)[0] not in _CHANGED:
                return
        raise TransientError(f"others kept changing who may use {folder}; it is tried again")

    def _names(self, kind: str, folder: str, most: int | None = None) -> list[str]:
        """Names of the objects or managed folders in a folder, at least `most` where there are so many."""
        names: list[str] = []
        query = {"prefix": folder, "fields": "items(name),nextPageToken"}
        while True:
            _, page = self._request("GET", kind, query=query)
            names += [item["name"] for item in page.get("items", [])]
            following = page.get("nextPageToken")
            if not following or (most is not None and len(names) >= most):
                return names
            query = {**query, "pageToken": following}

    def _delete(self, path: str) -> bool:
        """Delete it; False where there is something in it again."""
        return self._request("DELETE", path, refusals=(*_GONE, HTTPStatus.CONFLICT))[0] != HTTPStatus.CONFLICT

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        refusals: tuple[HTTPStatus, ...] = (),
    ) -> tuple[int, Any]:
        """Answer with status and body of 2xx and of `refusals`; raises TransientError for the rest."""
        url = f"{self._bucket}/{path}"
        # The path may hold the name of somebody's file, which is nothing for a log.
        what = f"{method} {path.partition('/')[0]}"
        try:
            answer = self._session.request(method, url, params=query, json=body, timeout=_TIMEOUT)  # type: ignore[no-untyped-call]
        except (requests.RequestException, GoogleAuthError) as e:
            raise TransientError(f"Cloud Storage is away: {what}: {type(e).__name__}") from e
        if answer.status_code in refusals:
            return answer.status_code, {}
        if not answer.ok:
            raise TransientError(f"Cloud Storage answered {answer.status_code}: {what}")
        return answer.status_code, answer.json() if answer.content else {}


def _path(kind: str, name: str) -> str:
    return f"{kind}/{quote(name, safe='')}"


def _shared_with(folder: str, member: str, role: str | None, grants: Grants) -> Grants:
    wanted = folders.shared_with(grants, member, role)
    if len(frozenset().union(*wanted.values())) > folders.MOST_MEMBERS:
        raise StorageRefused(
            f"the shared folder {folder} has {folders.MOST_MEMBERS} people, and IAM allows no more. "
            "An administrator can purge who has left, or give a profile another folder."
        )
    return wanted
