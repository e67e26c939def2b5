"""infra/gcp/data/firestore.rules, judged by the emulator's rules engine, as an app of a person's own asks."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

import local_system

RULES = Path(__file__).parents[3] / "infra/gcp/data/firestore.rules"
PROJECT = "portal-rules"
ADA, EVE = "Ada@example.com", "eve@example.com"
ADMINISTRATOR = "owner"  # the emulator's word for who comes with IAM
REFUSED = 403


@dataclass(frozen=True)
class Firestore:
    host: str

    @property
    def documents(self) -> str:
        return f"http://{self.host}/v1/projects/{PROJECT}/databases/(default)/documents"

    def ask(self, method: str, path: str, bearer: str | None, **options: Any) -> int:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return requests.request(method, f"{self.documents}{path}", headers=headers, timeout=20, **options).status_code


def signed_in(email: str | None, *, verified: Any = True) -> str:
    """A person's token as Firebase Authentication makes it; the emulator wants no signature."""
    claims = {"sub": "1", "user_id": "1", "aud": PROJECT, "iat": 0, "email_verified": verified}
    parts = [{"alg": "none"}, claims | ({"email": email} if email else {})]
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


def text(**fields: str) -> dict[str, Any]:
    return {"fields": {name: {"stringValue": value} for name, value in fields.items()}}


@pytest.fixture(scope="module")
def firestore(emulators: local_system.RunningEmulators) -> Firestore:
    files = {"rules": {"files": [{"name": "firestore.rules", "content": RULES.read_text()}]}}
    url = f"http://{emulators.firestore_host}/emulator/v1/projects/{PROJECT}:securityRules"
    answer = requests.put(url, json=files, timeout=20)
    assert answer.ok, answer.text
    found = Firestore(emulators.firestore_host)
    for user, fields in {"ada": text(email=ADA), "eve": text(email=EVE), "odd": {"fields": {}}}.items():
        assert found.ask("PATCH", f"/users/{user}", ADMINISTRATOR, json=fields) == 200
    assert found.ask("PATCH", "/users/ada/history/1", ADMINISTRATOR, json=text(phase="Ready")) == 200
    return found


def test_a_person_reads_their_own_document(firestore: Firestore) -> None:
    assert firestore.ask("GET", "/users/ada", signed_in("ada@example.com")) == 200
    assert firestore.ask("GET", "/users/eve", signed_in("EVE@example.com")) == 200


@pytest.mark.parametrize(
    ("path", "bearer"),
    [
        pytest.param("/users/eve", signed_in(ADA), id="another's document"),
        pytest.param("/users/ada", None, id="nobody"),
        pytest.param("/users/ada", signed_in(ADA, verified=False), id="an e-mail that is not verified"),
        pytest.param("/users/ada", signed_in(ADA, verified="true"), id="a text that says true"),
        pytest.param("/users/ada", signed_in(None), id="no e-mail"),
        pytest.param("/users/odd", signed_in(ADA), id="a document without an e-mail"),
        pytest.param("/users/none", signed_in(ADA), id="no document"),
        pytest.param("/users", signed_in(ADA), id="the list"),
        pytest.param("/users/ada/history/1", signed_in(ADA), id="what happened"),
        pytest.param("/names/ada-example-com", signed_in(ADA), id="who holds a name"),
        pytest.param("/asked/ada", signed_in(ADA), id="who is asked for"),
        pytest.param("/controller/policy", signed_in(ADA), id="what settings stop"),
        pytest.param("/others/1", signed_in(ADA), id="anything else"),
    ],
)
def test_nobody_reads_anything_else(firestore: Firestore, path: str, bearer: str | None) -> None:
    assert firestore.ask("GET", path, bearer) == REFUSED


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(
            lambda f, b: f.ask("PATCH", "/users/ada", b, json=text(email=ADA, state="stopped")), id="change"
        ),
        pytest.param(
            lambda f, b: f.ask("PATCH", "/users/ada?updateMask.fieldPaths=status", b, json=text(status="Ready")),
            id="status",
        ),
        pytest.param(lambda f, b: f.ask("POST", "/users", b, json=text(email=ADA)), id="create"),
        pytest.param(lambda f, b: f.ask("DELETE", "/users/ada", b), id="delete"),
        pytest.param(lambda f, b: f.ask("PATCH", "/users/ada/history/1", b, json=text(phase="x")), id="history"),
        pytest.param(lambda f, b: f.ask("PATCH", "/names/ada-example-com", b, json=text(user="eve")), id="name"),
        pytest.param(lambda f, b: f.ask("DELETE", "/asked/ada", b), id="asked"),
        pytest.param(lambda f, b: f.ask("PATCH", "/controller/policy", b, json=text(settings="x")), id="policy"),
    ],
)
def test_nobody_writes_anything(firestore: Firestore, ask: Callable[[Firestore, str], int]) -> None:
    assert ask(firestore, signed_in(ADA)) == REFUSED
