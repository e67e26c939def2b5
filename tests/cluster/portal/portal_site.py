"""The portal as its function is served, on the Firestore emulator: requests come in as a browser sends them."""

import re
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

from google.cloud import firestore
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from kupyterhub import settings as files
from kupyterhub.domain.users import search_terms
from kupyterhub_portal import bootstrap
from kupyterhub_portal.settings import PortalSettings
from kupyterhub_portal.store import Store
from kupyterhub_rules.names import base_name, document_id
from kupyterhub_rules.stored import observed

ORIGIN, LOGIN = "http://localhost:8000", "http://login.localhost:8001"
SESSION = "kupyterhub-portal-session"
ADA, EVE, ADMIN = "ada@example.com", "eve@example.com", "root@example.com"
SETTINGS = """
domain: localhost:8001
allowedEmails: ["*@example.com"]
admins: [root@example.com]
selfEnrolment: true
images: {agent: "agent:1", jupyterlab: "jupyterlab:1"}
profiles:
  default: {}
  big: {images: ["big:1", "big:2"], allowed: ["ada@*"]}
  gpu: {}
"""


@dataclass
class Browser:
    """Somebody's, with cookies of its own."""

    client: Client

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=ORIGIN, headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"})

    def post(self, path: str, origin: str | None = ORIGIN, **form: Any) -> TestResponse:
        """Send a form, with the token of the page that is shown first unless one is given."""
        form = {"token": token(self.get("/").text), **form}
        headers = {"Origin": origin} if origin else {}
        return self.client.post(
            path, base_url=ORIGIN, data=form, headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"}
        )


@dataclass
class Site:
    """A portal, and the documents behind it."""

    users: firestore.CollectionReference
    settings: PortalSettings
    store: Store
    _browsers: list[Browser] = field(default_factory=list)

    def browser(self, email: str | None = None) -> Browser:
        """A browser in which this person has signed in."""
        portal = bootstrap.wired(self.settings, self.store)

        def app(environ: Any, start_response: Any) -> Any:
            return portal.answer(Request(environ))(environ, start_response)

        browser = Browser(Client(app, Response))
        if email:
            browser.client.set_cookie(SESSION, self.session(email), domain="localhost")
        return browser

    def session(self, email: str, seconds_ago: int = 0) -> str:
        """What the cookie of somebody holds whom the sign-in host has vouched for."""

        class Then(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(time.time()) - seconds_ago

        signed = URLSafeTimedSerializer(self.settings.key, salt="portal session", signer=Then)
        return str(signed.dumps([email, secrets.token_urlsafe(12), "a-word"]))

    def with_settings(self, text: str) -> "Site":
        return replace(self, settings=replace(self.settings, of_users=files.parse(text)))

    def add(self, email: str, phase: str | None = None, **fields: Any) -> str:
        """A document, and the status that the controller would have written; `status_…` are more of it."""
        status = {name.removeprefix("status_"): fields.pop(name) for name in [*fields] if name.startswith("status_")}
        user = fields.pop("id", document_id(email))
        document = {"email": email, **fields}
        if phase:
            document["status"] = {
                "phase": phase,
                "email": email,
                "name": base_name(email),
                "observed": observed(document),
                "terms": list(search_terms(email, fields.get("displayName"))),
                "emailSince": datetime.now(UTC),
                **status,
            }
        self.users.document(user).set(document)
        return user

    def fields(self, user: str) -> dict[str, Any]:
        found = self.users.document(user).get().to_dict()
        assert found is not None, f"{user} is gone"
        return found


def token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    return unescape(found[1]) if found else ""
