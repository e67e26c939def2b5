"""Which of Google's agents are let in: the file of service accounts, and what a VM's identity token must prove."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from kupyterhub_proxy.environment import SettingsError
from kupyterhub_proxy.polling.allowed import Allowed, read_allowed
from kupyterhub_proxy.polling.vm_identity import VmVerifier
from kupyterhub_proxy.tokens import TokenRefused
from twins.google_vm import SERVICE_ACCOUNT, google_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AUDIENCE = "https://agents.example.org/"
ADA, EVE = "ada-0123456789abcdef", "eve-0123456789abcdef"


class Known:
    """Certificates that need no network."""

    def __init__(self) -> None:
        self.asked = 0

    async def of(self, key_id: str) -> Mapping[str, str]:
        self.asked += 1
        return google_keys().certificates


def verifier() -> VmVerifier:
    return VmVerifier(Known(), AUDIENCE)


def allowed(tmp_path: Path, text: str) -> Allowed:
    path = tmp_path / "google-agents.json"
    path.write_text(text)
    return read_allowed(path)


def test_an_empty_list_is_nobody(tmp_path: Path) -> None:
    assert not allowed(tmp_path, "[]").may_serve(SERVICE_ACCOUNT, ADA)


def test_a_service_account_serves_the_names_that_it_is_given(tmp_path: Path) -> None:
    rules = allowed(tmp_path, json.dumps([{"serviceAccount": SERVICE_ACCOUNT.upper(), "names": [ADA]}]))
    assert rules.may_serve(SERVICE_ACCOUNT, ADA)
    assert not rules.may_serve(SERVICE_ACCOUNT, EVE)
    assert not rules.may_serve("other@project.iam.gserviceaccount.com", ADA)


def test_a_star_is_everybody(tmp_path: Path) -> None:
    rules = allowed(tmp_path, json.dumps([{"serviceAccount": SERVICE_ACCOUNT, "names": "*"}]))
    assert rules.may_serve(SERVICE_ACCOUNT, ADA)
    assert rules.may_serve(SERVICE_ACCOUNT, EVE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}x",
        '[{"serviceAccount": "a@b"}]',
        '[{"names": "*"}]',
        '[{"serviceAccount": "nobody", "names": "*"}]',
        '[{"serviceAccount": "a@b", "names": "ada"}]',
        '[{"serviceAccount": "a@b", "names": ["*"]}]',
        '[{"serviceAccount": "a@b", "names": ["Not A Name"]}]',
        '["a@b"]',
        "5",
    ],
)
def test_a_wrong_file_is_an_error_that_shows_its_form(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="it should be"):
        allowed(tmp_path, text)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"KUPYTERHUB_GOOGLE_AGENTS .*nowhere"):
        read_allowed(tmp_path / "nowhere")


async def test_a_vms_token_proves_its_service_account() -> None:
    machine = await verifier().verify(google_keys().token(AUDIENCE))
    assert (machine.service_account, machine.instance) == (SERVICE_ACCOUNT, "4711")


async def test_a_token_that_comes_again_is_not_verified_again() -> None:
    known = Known()
    checking, token = VmVerifier(known, AUDIENCE), google_keys().token(AUDIENCE)
    assert await checking.verify(token) == await checking.verify(token)
    assert known.asked == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"aud": "https://agents.example.org"}, id="audience without the slash"),
        pytest.param({"aud": "https://agents.other.example/"}, id="other audience"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"iss": "https://accounts.evil.example"}, id="other issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"exp": int(time.time()) - 60, "iat": int(time.time()) - 3600}, id="expired"),
        pytest.param({"iat": int(time.time()) + 86400}, id="of the future"),
        pytest.param({"email": None}, id="no e-mail"),
        pytest.param({"email_verified": False}, id="e-mail not verified"),
        pytest.param({"google": None}, id="no VM"),
        pytest.param({"google": {"compute_engine": {}}}, id="VM without a number"),
        pytest.param({"google": []}, id="junk for a VM"),
    ],
)
async def test_a_token_that_proves_something_else_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        await verifier().verify(google_keys().token(AUDIENCE, **changed))


@pytest.mark.parametrize("token", ["", "a.b.c", "junk", "é", "a.b.c.d"])
async def test_what_is_no_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        await verifier().verify(token)
    assert not token or token not in str(refused.value)


async def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(TokenRefused):
        await verifier().verify(google_keys("2").token(AUDIENCE))


async def test_a_token_whose_content_was_changed_is_refused() -> None:
    header, _, signature = google_keys().token(AUDIENCE).split(".")
    _, content, _ = google_keys().token(AUDIENCE, email="evil@project.iam.gserviceaccount.com").split(".")
    with pytest.raises(TokenRefused):
        await verifier().verify(f"{header}.{content}.{signature}")
