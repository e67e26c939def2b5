"""kupyterhub.yaml is read whole or not at all; what is wrong is named by its path."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from kupyterhub import settings as files
from kupyterhub.domain.errors import SettingsError
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.settings import Profile, Settings

GOOD: dict[str, Any] = {
    "domain": "localhost:8000",
    "allowedEmails": ["*@example.com"],
    "images": {"agent": "agent:1", "jupyterlab": "jupyterlab:1"},
    "profiles": {"default": {}},
}


def parse(tree: Any) -> Settings:
    return files.parse(yaml.safe_dump(tree))


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with one value changed; `...` removes it."""
    tree: dict[str, Any] = yaml.safe_load(yaml.safe_dump(GOOD))
    place = tree
    *parents, last = path.split(".")
    for part in parents:
        place = place.setdefault(part, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return tree


def test_a_small_file_is_enough() -> None:
    settings = parse(GOOD)

    assert settings.namespace == "kupyterhub"
    assert settings.allowed_emails == ("*@example.com",)
    assert settings.profiles == {"default": Profile()}
    assert settings.image_of(settings.profiles["default"]) == "jupyterlab:1"


def test_a_profile_is_read_whole() -> None:
    profile = {
        "image": "big:1",
        "images": ["big:1", "big:2"],
        "cpu": "1.5",
        "memory": "4Gi",
        "ephemeralStorage": "8Gi",
        "gpu": {"count": 1, "type": "nvidia-l4"},
        "storage": {"kind": "disk", "size": "50Gi"},
        "sandbox": "gvisor",
        "egress": "none",
        "idleTimeout": "90s",
        "activity": ["tabs"],
        "maxAge": "1d12h",
        "readyDeadline": "15m",
    }
    settings = parse(changed("profiles.big", profile))

    big = settings.profiles["big"]
    assert big.images == ("big:1", "big:2")
    assert (big.cpu, big.memory, big.ephemeral_storage, big.storage.size) == ("1.5", "4Gi", "8Gi", "50Gi")
    assert (big.gpu.count, big.gpu.type, big.sandbox, big.egress) == (1, "nvidia-l4", "gvisor", "none")
    assert big.activity == ("tabs",)
    assert big.idle_timeout == timedelta(seconds=90)
    assert big.max_age == timedelta(days=1, hours=12)
    assert big.ready_deadline == timedelta(minutes=15)
    assert settings.image_of(big) == "big:1"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("domain", ...),
        ("domain", "https://x"),
        ("domain", 7),
        ("namespace", "Not A Label"),
        ("allowedEmails", ...),
        ("allowedEmails", "*@example.com"),
        ("admins", ["nobody"]),
        ("proxy", "remote"),
        ("agent", "none"),
        ("identity.mode", "password"),
        ("images.agent", ...),
        ("images.jupyterlab", 7),
        ("profiles", ...),
        ("profiles.default", ...),
        ("profiles.Big", {}),
        ("profiles.default.cpu", "much"),
        ("profiles.default.cpu", 2),
        ("profiles.default.memory", "1 GB"),
        ("profiles.default.ephemeralStorage", "10 GB"),
        ("profiles.default.storage.size", "big"),
        ("profiles.default.storage.kind", "tape"),
        ("profiles.default.gpu.count", -1),
        ("profiles.default.gpu.count", "1"),
        ("profiles.default.gpu.type", "Tesla T4"),
        ("profiles.default.sandbox", "kata"),
        ("profiles.default.egress", ""),
        ("profiles.default.storage.size", "10mi"),
        ("bucket.name", "gs://bucket"),
        ("bucket.projectNumber", "my-project"),
        ("profiles.default.idleTimeout", "soon"),
        ("profiles.default.idleTimeout", 60),
        ("profiles.default.activity", "tabs"),
        ("profiles.default.maxAge", ""),
        ("profiles.default.readyDeadline", "5"),
        ("clusters", [{"name": "a", "endpoint": "https://a"}, {"name": "b", "endpoint": "https://b"}]),
        ("limits.looksPerMinute", 0),
        ("limits.stoppedBySettings", 1.5),
        ("domian", "typo"),
        ("images.jupiterlab", "typo"),
        ("profiles.default.idleTimout", "1h"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_by_its_path(path: str, value: Any) -> None:
    with pytest.raises(SettingsError) as raised:
        parse(changed(path, value))

    assert f"  {path}" in str(raised.value)


def test_an_unknown_key_beside_a_known_one_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"profiles\.default\.gpus"):
        parse(changed("profiles.default.gpus", 1))


def test_a_wrong_endpoint_names_its_cluster() -> None:
    with pytest.raises(SettingsError, match=r"clusters\.0\.endpoint"):
        parse(changed("clusters", [{"name": "a", "endpoint": "http://a"}]))


IAP = {"mode": "iap", "audience": "/projects/1/global/backendServices/2"}
OIDC = {"mode": "oidc", "issuer": "https://accounts.google.com", "clientId": "kupyterhub"}


@pytest.mark.parametrize(
    ("proxy", "identity"),
    [("local", {"mode": "local"}), ("self-hosted", IAP), ("self-hosted", OIDC), ("hosted", None)],
    ids=["local", "iap", "oidc", "hosted"],
)
def test_a_proxy_goes_with_its_identities(proxy: str, identity: dict[str, str] | None) -> None:
    settings = parse({**GOOD, "proxy": proxy, **({"identity": identity} if identity else {})})

    assert settings.proxy == proxy
    assert settings.scheme == ("http" if proxy == "local" else "https")


@pytest.mark.parametrize(
    ("proxy", "identity", "field", "advice"),
    [
        ("local", IAP, "identity.mode", "proxy: self-hosted"),
        ("local", OIDC, "identity.mode", "proxy: self-hosted"),
        ("self-hosted", {"mode": "local"}, "identity.mode", "write iap or oidc"),
        ("hosted", OIDC, "identity.mode", "leave identity out"),
        ("self-hosted", {**OIDC, "issuer": None}, "identity.issuer", "is missing"),
        ("self-hosted", {**OIDC, "clientId": None}, "identity.clientId", "is missing"),
        ("self-hosted", {"mode": "iap"}, "identity.audience", "is missing"),
        ("self-hosted", {**IAP, "clientId": "x"}, "identity.clientId", "leave it out"),
        ("self-hosted", {**OIDC, "audience": "x"}, "identity.audience", "leave it out"),
        ("self-hosted", {**OIDC, "issuer": "http://idp.example"}, "identity.issuer", "https"),
    ],
)
def test_an_identity_that_does_not_fit_is_named_with_what_to_do(
    proxy: str, identity: dict[str, Any], field: str, advice: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        parse({**changed("identity", identity), "proxy": proxy})

    (line,) = str(raised.value).splitlines()[1:]
    assert line.startswith(f"  {field}: ")
    assert advice in line


def test_a_self_hosted_proxy_does_not_let_everybody_be_anybody_by_default() -> None:
    with pytest.raises(SettingsError, match=r"identity\.mode: is local"):
        parse({**GOOD, "proxy": "self-hosted"})


def test_googles_proxy_has_a_domain_of_its_own() -> None:
    settings = parse({**changed("domain", ...), "proxy": "hosted"})

    assert settings.domain is None


def test_a_service_of_the_proxy_is_of_a_self_hosted_one_alone() -> None:
    service = "proxy-agents.kupyterhub.svc.cluster.local:8443"

    assert parse({**GOOD, "proxy": "self-hosted", "identity": IAP, "proxyService": service}).proxy_service == service
    with pytest.raises(SettingsError, match="proxyService: is of proxy: self-hosted"):
        parse({**GOOD, "proxyService": service})


BUCKET = {"name": "notebooks", "project": "my-project", "projectNumber": "123"}


def in_the_cloud(profile: dict[str, Any], bucket: dict[str, Any] | None = None) -> dict[str, Any]:
    tree = {**GOOD, "proxy": "self-hosted", "identity": IAP, "profiles": {"default": profile}}
    return {**tree, "bucket": bucket} if bucket else tree


def test_a_profile_in_the_bucket_is_read_whole() -> None:
    profile = {"storage": {"kind": "gcs"}, "sharedFolders": [{"name": "course"}, {"name": "team", "access": "write"}]}
    settings = parse(in_the_cloud(profile, BUCKET))

    assert settings.bucket.project_number == "123"
    folders = settings.profiles["default"].shared_folders
    assert [(each.name, each.access) for each in folders] == [("course", "read"), ("team", "write")]


GCS = {"storage": {"kind": "gcs"}}


@pytest.mark.parametrize(
    ("tree", "field", "advice"),
    [
        (changed("profiles.default", GCS), "profiles.default.storage.kind", "one machine does not have; write disk"),
        (in_the_cloud(GCS), "profiles.default.storage.kind", "bucket.name is missing"),
        (in_the_cloud({}, {"name": "notebooks", "project": "my-project"}), "bucket.projectNumber", "is missing"),
        (in_the_cloud({}, {"project": "my-project", "projectNumber": "1"}), "bucket.name", "is missing"),
        (
            in_the_cloud({"sharedFolders": [{"name": "course"}]}, BUCKET),
            "profiles.default.sharedFolders",
            "write storage.kind: gcs",
        ),
        (
            in_the_cloud({**GCS, "sharedFolders": [{"name": "a"}, {"name": "a", "access": "write"}]}, BUCKET),
            "profiles.default.sharedFolders",
            "twice",
        ),
        (changed("profiles.default.gpu.type", "nvidia-l4"), "profiles.default.gpu.count", "how many"),
    ],
)
def test_what_does_not_fit_a_bucket_or_a_profile_is_named_with_what_to_do(
    tree: dict[str, Any], field: str, advice: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        parse(tree)

    (line,) = str(raised.value).splitlines()[1:]
    assert line.startswith(f"  {field}: ")
    assert advice in line


def test_every_contradiction_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        parse({**changed("profiles", {"big": {}}), "identity": {"mode": "oidc"}})

    for field in ("profiles.default", "identity.mode", "identity.issuer", "identity.clientId"):
        assert f"  {field}: " in str(raised.value)


def test_every_error_is_told_at_once() -> None:
    tree = {**changed("domain", 7), "proxy": "remote"}

    with pytest.raises(SettingsError) as raised:
        parse(tree)

    assert str(raised.value).count("\n") == 2


@pytest.mark.parametrize("text", ["", "- a", "7", "a: [", "\tb"], ids=["empty", "list", "number", "open", "tab"])
def test_what_is_no_map_is_an_error(text: str) -> None:
    with pytest.raises(SettingsError, match=r"kupyterhub\.yaml"):
        files.parse(text)


def test_a_value_is_never_quoted_in_an_error() -> None:
    with pytest.raises(SettingsError) as raised:
        parse(changed("identity.clientSecret", "s3cret"))

    assert "s3cret" not in str(raised.value)


def hash_of(tree: Any, master_secret: bytes = b"k" * 32) -> str:
    return Installation(parse(tree), master_secret, "topic").hash


def test_equal_settings_have_equal_hashes() -> None:
    assert hash_of(GOOD) == hash_of(dict(reversed(GOOD.items())))


@pytest.mark.parametrize(
    ("path", "value", "other"),
    [
        ("domain", "localhost:8001", True),
        ("allowedEmails", ["*@example.org"], True),
        ("profiles.default.maxAge", "1h", True),
        ("admins", ["root@example.com"], False),
        ("limits.looksPerMinute", 1, False),
        ("limits.stoppedBySettings", 1.0, False),
        ("selfEnrolment", True, False),
    ],
)
def test_settings_that_no_look_depends_on_are_not_in_the_hash(path: str, value: Any, *, other: bool) -> None:
    assert (hash_of(changed(path, value)) != hash_of(GOOD)) is other


def test_another_master_secret_has_another_hash_that_does_not_tell_it() -> None:
    assert hash_of(GOOD, b"s" * 32) != hash_of(GOOD)
    assert "s" * 8 not in hash_of(GOOD, b"s" * 32)


def test_the_local_systems_file_is_good() -> None:
    text = (Path(__file__).parents[3] / "infra/local/kupyterhub.yaml").read_text()

    assert files.parse(text.replace("$DOMAIN", "localhost:8000")).proxy == "local"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.yaml cannot be read"):
        files.load(tmp_path / "nothing.yaml")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kupyterhub.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"kupyterhub\.yaml"):
        files.load(path)


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"k" * 32, b"k" * 32), (b"k" * 32 + b"\n\n", b"k" * 32), (b"\n" + b"k" * 31, b"\n" + b"k" * 31)],
    ids=["bare", "with newlines", "leading newline is part of it"],
)
def test_the_master_secret_is_the_files_bytes_without_trailing_newlines(
    tmp_path: Path, content: bytes, secret: bytes
) -> None:
    path = tmp_path / "master-secret"
    path.write_bytes(content)

    assert files.load_master_secret(path) == secret


def test_a_short_master_secret_is_refused_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "master-secret"
    path.write_bytes(b"s3cret" * 5 + b"\n" * 9)

    with pytest.raises(SettingsError, match="shorter than 32 bytes") as raised:
        files.load_master_secret(path)
    assert "s3cret" not in str(raised.value)


def test_a_missing_master_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nothing cannot be read"):
        files.load_master_secret(tmp_path / "nothing")
