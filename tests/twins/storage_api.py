"""The twin of Cloud Storage's JSON API for one bucket, strict about who asks for what.

It stands in for the network under a session of google-auth, so the real adapter is what tests talk to. Rights are
IAM's: on the bucket, or on any managed folder that a name is in. What it does not know it refuses.
https://cloud.google.com/storage/docs/json_api/v1
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from twins.requests import Requests

BUCKET = "my-project-kupyterhub-notebooks"
CONTROLLER = "serviceAccount:kupyterhub-user-written@my-project.iam.gserviceaccount.com"
CONTROLLERS_PERMISSIONS = frozenset(
    {
        *(f"storage.managedFolders.{verb}" for verb in ("create", "delete", "get", "list")),
        "storage.managedFolders.getIamPolicy",
        "storage.managedFolders.setIamPolicy",
        "storage.objects.delete",
        "storage.objects.list",
    }
)
"""Of the custom role kupyterhubFolders (infra/gcp/system/custom_roles.tf)."""
VIEWER = frozenset(
    {"storage.objects.get", "storage.objects.list", "storage.managedFolders.get", "storage.managedFolders.list"}
)
ROLES = {
    "roles/storage.objectViewer": VIEWER,
    "roles/storage.objectUser": VIEWER
    | {
        *(f"storage.objects.{verb}" for verb in ("create", "delete", "update", "restore", "move")),
        *(f"storage.managedFolders.{verb}" for verb in ("create", "delete")),
    },
}
"""https://cloud.google.com/storage/docs/access-control/iam-roles, as far as it matters here."""
_MEMBER = re.compile(
    r"principal://iam\.googleapis\.com/projects/[0-9]+/locations/global/workloadIdentityPools/"
    r"[a-z0-9-]+\.svc\.id\.goog/subject/ns/[a-z0-9-]+/sa/[a-z0-9-]{1,63}"
)


class Refused(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Token(Credentials):
    """The credentials of one member: their name is their token."""

    def __init__(self, member: str) -> None:
        super().__init__()
        self.token = member

    def refresh(self, request: object) -> None:
        raise AssertionError("this token does not end")


@dataclass
class StorageApi(BaseAdapter):
    """Objects, managed folders and their policies."""

    requests: Requests = field(default_factory=Requests)
    objects: set[str] = field(default_factory=set)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The IAM policy of each managed folder, by its name."""
    page: int = 1000
    most_members: int = 1500
    _etags: Iterator[int] = field(default_factory=count)

    def session(self, member: str) -> AuthorizedSession:
        """What a program with somebody's credentials sends requests by."""
        session = AuthorizedSession(Token(member))
        session.mount("https://", self)
        return session

    def may(self, member: str, permission: str, name: str = "") -> bool:
        """Whether somebody has a permission on an object, a folder, or all that begins with a prefix."""
        if member == CONTROLLER and permission in CONTROLLERS_PERMISSIONS:
            return True
        return any(
            permission in ROLES[binding["role"]] and member in binding["members"]
            for folder, policy in self.folders.items()
            if name.startswith(folder)
            for binding in policy["bindings"]
        )

    def members(self, folder: str) -> dict[str, list[str]]:
        """Who has which role on a folder."""
        return {binding["role"]: binding["members"] for binding in self.folders[folder]["bindings"]}

    # What requests asks of an adapter.

    def send(self, request: PreparedRequest, **_: Any) -> Response:
        response = Response()
        response.request, response.url = request, request.url or ""
        try:
            body = self._answer(request)
            response.status_code = 204 if body is None else 200
            response._content = b"" if body is None else json.dumps(body).encode()
        except Refused as e:
            response.status_code = e.status
            response._content = b'{"error": {"message": "the secret reason"}}'
        return response

    def close(self) -> None:
        """Nothing is held."""

    # Inside.

    def _answer(self, request: PreparedRequest) -> Any:  # noqa: PLR0911 - one for each method
        url = urlsplit(str(request.url))
        root = f"/storage/v1/b/{BUCKET}/"
        assert (url.scheme, url.netloc) == ("https", "storage.googleapis.com"), request.url
        assert url.path.startswith(root), request.url
        kind, *rest = url.path.removeprefix(root).split("/")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        asked = " ".join([str(request.method), kind, *map(unquote, rest), *query.values()])
        self.requests.note(asked)
        member = request.headers["Authorization"].removeprefix("Bearer ")
        body = json.loads(request.body) if request.body else None
        match [request.method, kind, *map(unquote, rest)]:
            case ["POST", "managedFolders"]:
                return self._create(member, body)
            case ["GET", "managedFolders"]:
                return self._list(member, "storage.managedFolders.list", sorted(self.folders), query)
            case ["DELETE", "managedFolders", folder]:
                return self._delete_folder(member, folder)
            case ["GET", "managedFolders", folder, "iam"]:
                self._check(member, "storage.managedFolders.getIamPolicy", folder)
                return self._folder(folder)
            case ["PUT", "managedFolders", folder, "iam"]:
                self._check(member, "storage.managedFolders.setIamPolicy", folder)
                return self._set_policy(folder, body)
            case ["GET", "storageLayout"]:
                self._check(member, "storage.objects.list", query.get("prefix", ""))
                return {"bucket": BUCKET}
            case ["GET", "o"]:
                return self._list(member, "storage.objects.list", sorted(self.objects), query)
            case ["GET", "o", name]:
                self._check(member, "storage.objects.get", name)
                return {"name": self._object(name)}
            case ["DELETE", "o", name]:
                self._check(member, "storage.objects.delete", name)
                return self.objects.remove(self._object(name))
        raise AssertionError(f"the twin knows no {asked}")

    def _check(self, member: str, permission: str, name: str) -> None:
        if not self.may(member, permission, name):
            raise Refused(403)

    def _folder(self, name: str) -> dict[str, Any]:
        if name not in self.folders:
            raise Refused(404)
        return self.folders[name]

    def _object(self, name: str) -> str:
        if name not in self.objects:
            raise Refused(404)
        return name

    def _create(self, member: str, body: dict[str, str]) -> dict[str, str]:
        assert body.keys() == {"name"}
        name = body["name"]
        assert re.fullmatch(r"([^/]+/)+", name), name
        self._check(member, "storage.managedFolders.create", name)
        if name in self.folders:
            raise Refused(409)
        self.folders[name] = {"kind": "storage#policy", "etag": str(next(self._etags)), "version": 1, "bindings": []}
        return {"name": name}

    def _delete_folder(self, member: str, folder: str) -> None:
        self._check(member, "storage.managedFolders.delete", folder)
        self._folder(folder)
        if any(name.startswith(folder) and name != folder for name in [*self.objects, *self.folders]):
            raise Refused(409)
        del self.folders[folder]

    def _set_policy(self, folder: str, body: dict[str, Any]) -> dict[str, Any]:
        current = self._folder(folder)
        assert body.keys() <= {"kind", "resourceId", "version", "etag", "bindings"}, body
        if body["etag"] != current["etag"]:
            raise Refused(412)
        for binding in body["bindings"]:
            assert binding.keys() == {"role", "members"}
            assert binding["role"] in ROLES
            assert binding["members"]
            assert all(_MEMBER.fullmatch(member) for member in binding["members"]), binding
        if sum(len(binding["members"]) for binding in body["bindings"]) > self.most_members:
            raise Refused(400)
        self.folders[folder] = {**body, "etag": str(next(self._etags))}
        return self.folders[folder]

    def _list(self, member: str, permission: str, names: list[str], query: dict[str, str]) -> dict[str, Any]:
        assert query.keys() <= {"prefix", "pageToken", "fields"}, query
        prefix = query.get("prefix", "")
        self._check(member, permission, prefix)
        found = [name for name in names if name.startswith(prefix) and name > query.get("pageToken", "")]
        more = {"nextPageToken": found[self.page - 1]} if len(found) > self.page else {}
        items = [{"name": name} for name in found[: self.page]]
        return {**({"items": items} if items else {}), **more}
