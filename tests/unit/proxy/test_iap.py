"""What is believed of Identity-Aware Proxy's assertions."""

import time
from collections.abc import Callable

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kupyterhub_proxy.identities.iap_assertions import AssertionRefused, Assertions, KeysUnreachable
from twins.google_iap import AUDIENCE, IdentityAwareProxy

ADA = "ada@example.org"
IAP = IdentityAwareProxy()
ASSERTIONS = Assertions(AUDIENCE, IAP)
NOW = int(time.time())


async def test_an_assertion_tells_whose_request_it_is() -> None:
    assert await ASSERTIONS.email(IAP.assertion("Ada@Example.org")) == ADA


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -5), ("iat", 20)], ids=["just over", "just to come"])
async def test_clocks_may_differ_by_half_a_minute(claim: str, seconds: int) -> None:
    changed = {claim: int(time.time()) + seconds}
    assert await ASSERTIONS.email(IAP.assertion(ADA, **changed)) == ADA


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"aud": "/projects/1/global/backendServices/3"}, "audience", id="other backend"),
        pytest.param({"aud": [AUDIENCE]}, "audience", id="list of audiences"),
        pytest.param({"aud": None}, "audience", id="no audience"),
        pytest.param({"iss": "https://accounts.google.com"}, "not made by Identity-Aware", id="other issuer"),
        pytest.param({"iss": None}, "not made by Identity-Aware", id="no issuer"),
        pytest.param({"exp": NOW - 3600, "iat": NOW - 4200}, "expired", id="expired"),
        pytest.param({"exp": None}, "no token", id="no expiry"),
        pytest.param({"iat": NOW + 3600, "exp": NOW + 4200}, "too early", id="of the future"),
        pytest.param({"email": None}, "no e-mail", id="no e-mail"),
        pytest.param({"email": ""}, "no e-mail", id="empty e-mail"),
        pytest.param({"email": "securetoken.google.com/p/t:a@b.c"}, "no e-mail", id="external identity"),
    ],
)
async def test_a_wrong_assertion_is_refused_with_its_reason(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(AssertionRefused, match=reason):
        await ASSERTIONS.email(IAP.assertion(ADA, **changed))


def unsigned() -> str:
    return jwt.encode(IAP.claims(ADA), None, "none", {"kid": IAP.key_id})


def signed_with_the_public_key() -> str:
    """By a secret that everybody knows: the public key, taken for one (PyJWT refuses to, so by its own parts)."""
    signing_input = jwt.encode(IAP.claims(ADA), "x" * 32, "HS256", {"kid": IAP.key_id}).rpartition(".")[0]
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(signing_input.encode(), IAP.keys[IAP.key_id].encode())
    return f"{signing_input}.{jwt.utils.base64url_encode(signature).decode()}"


def signed_by_rsa() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(IAP.claims(ADA), key, "RS256", {"kid": IAP.key_id})


def signed_by_another_under_its_key_id() -> str:
    return IdentityAwareProxy(IAP.key_id).assertion(ADA)


def signed_by_another() -> str:
    return IdentityAwareProxy("2").assertion(ADA)


def changed_afterwards() -> str:
    head, _, signature = IAP.assertion(ADA).split(".")
    return f"{head}.{IAP.assertion('eve@example.org').split('.')[1]}.{signature}"


def cut_short() -> str:
    return IAP.assertion(ADA).rpartition(".")[0]


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_the_public_key,
        signed_by_rsa,
        signed_by_another_under_its_key_id,
        signed_by_another,
        changed_afterwards,
        cut_short,
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "a.b.c", id="nonsense"),
        pytest.param(lambda: "\udce9.é.c", id="no ASCII"),
    ],
)
async def test_a_forged_assertion_is_refused_and_not_repeated(forge: Callable[[], str]) -> None:
    forged = forge()
    with pytest.raises(AssertionRefused) as refused:
        await ASSERTIONS.email(forged)
    assert not forged or forged not in str(refused.value)


class NoKeys:
    async def of(self, _: str) -> dict[str, str]:
        raise aiohttp.ClientConnectionError


async def test_without_googles_keys_nobody_is_believed() -> None:
    with pytest.raises(KeysUnreachable):
        await Assertions(AUDIENCE, NoKeys()).email(IAP.assertion(ADA))
