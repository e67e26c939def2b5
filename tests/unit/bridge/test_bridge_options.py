from pathlib import Path

import pytest

from kupyterhub_local.bridge.__main__ import options
from kupyterhub_local.bridge.service import Options

ARGUMENTS = [
    "--listen",
    "127.0.0.1:1",
    "--functions",
    "http://127.0.0.1:2/",
    "--queue",
    "q",
    "--snapshots",
    "s",
]
ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "p",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:3",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:4",
}


def test_options_and_environment_are_read() -> None:
    assert options(ARGUMENTS, ENVIRONMENT) == Options(
        project="p",
        listen="127.0.0.1:1",
        functions="http://127.0.0.1:2",
        firestore="127.0.0.1:3",
        pubsub="127.0.0.1:4",
        queue=Path("q"),
        snapshots=Path("s"),
    )


def test_a_missing_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(ARGUMENTS, ENVIRONMENT | {"PUBSUB_EMULATOR_HOST": ""})

    assert "PUBSUB_EMULATOR_HOST" in capsys.readouterr().err
