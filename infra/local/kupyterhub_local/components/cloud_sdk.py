"""The Google Cloud SDK on this machine, for its emulators' jars."""

import os
import shutil
from pathlib import Path

FIRESTORE = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
PUBSUB = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
INSTALL = "gcloud components install cloud-firestore-emulator pubsub-emulator"


def root() -> Path | None:
    """Return the SDK's folder: what `CLOUDSDK_ROOT_DIR` names, else where `gcloud` is installed."""
    if named := os.environ.get("CLOUDSDK_ROOT_DIR"):
        return Path(named)
    gcloud = shutil.which("gcloud")
    return Path(gcloud).resolve().parent.parent if gcloud else None


def emulators(sdk: Path) -> tuple[Path, Path] | None:
    """Return the jars of the Firestore and Pub/Sub emulators, where both are installed."""
    firestore, pubsub = sdk / FIRESTORE, sorted(sdk.glob(PUBSUB))
    return (firestore, pubsub[-1]) if firestore.is_file() and pubsub else None
