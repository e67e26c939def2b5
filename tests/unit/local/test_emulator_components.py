"""The emulators from the Cloud SDK, or from where Firebase's tools say that Google publishes them."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kupyterhub_local.components import cloud_sdk, firebase, npm
from kupyterhub_local.components.versions import NpmPackage
from kupyterhub_local.errors import ComponentError, CorruptDownload, Unreachable

VERSION = "1.2.3"
FIRESTORE_JAR = b"firestore's classes"
PUBSUB_JAR = b"pubsub's classes"


def pubsub_bundle() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as bundle:
        bundle.writestr("pubsub-emulator/bin/cloud-pubsub-emulator", "a script")
        bundle.writestr("pubsub-emulator/lib/cloud-pubsub-emulator-0.1-all.jar", PUBSUB_JAR)
    return content.getvalue()


def entry(publisher: Any, path: str, content: bytes) -> dict[str, Any]:
    digest = publisher.publish(path, content)
    return {"remoteUrl": publisher.url + path, "expectedSize": len(content), "expectedChecksumSHA256": digest}


def publish(publisher: Any, **firestore: Any) -> NpmPackage:
    catalogue = {
        "firestore": entry(publisher, "/drop/firestore.jar", FIRESTORE_JAR) | firestore,
        "pubsub": entry(publisher, "/drop/pubsub.zip", pubsub_bundle()),
    }
    text = json.dumps(catalogue).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(firebase.CATALOGUE)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    publisher.publish(f"/firebase-tools/-/firebase-tools-{VERSION}.tgz", archive.getvalue())
    digest = base64.b64encode(hashlib.sha512(archive.getvalue()).digest()).decode()
    return NpmPackage(VERSION, f"sha512-{digest}")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_both_jars_are_downloaded(publisher: Any, tmp_path: Path) -> None:
    await firebase.emulators(publish(publisher), publisher.url, tmp_path)
    assert contents(tmp_path) == {"firestore.jar": FIRESTORE_JAR, "pubsub.jar": PUBSUB_JAR}


@pytest.mark.parametrize(
    ("announced", "complaint"),
    [
        pytest.param({"expectedSize": 3}, "has 19 bytes, where 3 were announced", id="wrong size"),
        pytest.param({"expectedChecksumSHA256": "0" * 64}, "has the sha256", id="wrong checksum"),
    ],
)
async def test_a_jar_unlike_its_announcement_is_refused(
    announced: dict[str, Any], complaint: str, publisher: Any, tmp_path: Path
) -> None:
    with pytest.raises(CorruptDownload, match=complaint):
        await firebase.emulators(publish(publisher, **announced), publisher.url, tmp_path)
    assert not (tmp_path / "firestore.jar").exists()


async def test_another_firebase_tools_than_the_pinned_one_is_refused(publisher: Any, tmp_path: Path) -> None:
    package = publish(publisher)
    publisher.publish(f"/firebase-tools/-/firebase-tools-{VERSION}.tgz", b"something else")
    with pytest.raises(CorruptDownload, match="sha512"):
        await firebase.emulators(package, publisher.url, tmp_path)


async def test_a_registry_that_is_not_there_is_unreachable(nobody: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        await firebase.emulators(NpmPackage(VERSION, "sha512-"), nobody, tmp_path)


def test_an_sdk_with_both_emulators_is_used(tmp_path: Path) -> None:
    firestore = tmp_path / cloud_sdk.FIRESTORE
    pubsub = tmp_path / cloud_sdk.PUBSUB.replace("*", "0.8.20")
    for jar in (firestore, pubsub):
        jar.parent.mkdir(parents=True)
        jar.touch()
    assert cloud_sdk.emulators(tmp_path) == (firestore, pubsub)


def test_an_sdk_without_emulators_is_not_used(tmp_path: Path) -> None:
    assert cloud_sdk.emulators(tmp_path) is None


async def test_without_npm_somebody_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ComponentError, match="gcloud components install"):
        await npm.registry()
