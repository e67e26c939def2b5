"""Google Cloud's REST interfaces with the person's own credentials, and web servers without any."""

from typing import Any, Literal

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from kupyterhub_cli.adapters.google_errors import listens, translated
from kupyterhub_cli.errors import Unavailable
from kupyterhub_cli.place import Place

SECONDS = 20.0


class GoogleApis:
    """`ports.Google`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        with translated(place, "sign in"):
            credentials, _ = google.auth.default(
                scopes=["https://www.googleapis.com/auth/cloud-platform"], quota_project_id=place.project
            )
        self._session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]

    def ask(self, method: Literal["GET", "POST"], url: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask once; no body of an error is shown, for it may hold anything."""
        host = url.split("/")[2]
        try:
            with translated(self._place, f"ask {host}"):
                given: Any = {"params": asked} if method == "GET" else {"json": asked}
                answer = self._session.request(method, url, timeout=SECONDS, **given)  # type: ignore[no-untyped-call]
                body = answer.json() if answer.ok else {}
        except (requests.RequestException, GoogleAuthError) as error:
            raise Unavailable(f"{host} does not answer. Is there a way to the internet?") from error
        if answer.ok and isinstance(body, dict):
            return body
        advice = {403: "You may not look there, or that API is off.", 404: "There is no such thing there."}
        raise Unavailable(f"{host} answered {answer.status_code}. {advice.get(answer.status_code, 'Try again.')}")


class WebServers:
    """`ports.Web`."""

    def status(self, url: str) -> int:
        """Ask without following where the answer leads."""
        try:
            return requests.get(url, timeout=SECONDS, allow_redirects=False).status_code
        except requests.RequestException as error:
            raise Unavailable(f"{url} does not answer.") from error

    def listens(self, address: str) -> bool:
        """Connect once."""
        return listens(address)
