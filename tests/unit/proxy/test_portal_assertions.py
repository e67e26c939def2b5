"""What the portal is told of a person, and by which key."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from kupyterhub_proxy.portal_assertions import PortalAssertions
from kupyterhub_proxy.visitor import Visitor

KEY = b"k" * 32
LOGIN, PORTAL = "https://login.example.org", "https://portal.example.org"
NOW = datetime.now(UTC)
ADA = Visitor("ada@example.org", NOW + timedelta(hours=1), NOW, "a-sign-in")


def new(key: bytes = KEY) -> PortalAssertions:
    return PortalAssertions(key, LOGIN, PORTAL)


def claims(assertion: str, keys: dict[str, Any], audience: str = PORTAL) -> dict[str, Any]:
    (key,) = jwt.PyJWKSet.from_dict(keys).keys
    assert jwt.get_unverified_header(assertion)["kid"] == key.key_id
    found: dict[str, Any] = jwt.decode(assertion, key, audience=audience, issuer=LOGIN)
    return found


def test_it_says_who_it_is_to_the_portal_and_its_browser_alone_for_a_minute() -> None:
    found = claims(new().of(ADA, "proof", "word"), new().keys)
    assert {key: found[key] for key in ("email", "sid", "nonce", "farewell")} == {
        "email": "ada@example.org",
        "sid": "a-sign-in",
        "nonce": "proof",
        "farewell": "word",
    }
    assert 0 < found["exp"] - time.time() <= 60
    with pytest.raises(jwt.InvalidAudienceError):
        claims(new().of(ADA, "proof", "word"), new().keys, LOGIN)


def test_replicas_that_share_a_key_sign_with_the_same_and_another_key_is_another() -> None:
    assert new().keys == new().keys
    other = new(b"x" * 32)
    assert other.keys["keys"][0]["kid"] != new().keys["keys"][0]["kid"]
    (key,) = jwt.PyJWKSet.from_dict(new().keys).keys
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(other.of(ADA, "proof", "word"), key, audience=PORTAL, issuer=LOGIN)


def test_only_the_public_half_is_shown() -> None:
    assert set(new().keys["keys"][0]) == {"kty", "crv", "x", "kid", "alg", "use"}
