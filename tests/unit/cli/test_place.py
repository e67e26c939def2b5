"""Which system a command speaks to."""

from pathlib import Path

import pytest

from kupyterhub_cli import place
from kupyterhub_cli.errors import WrongUsage

ENV = """FIRESTORE_EMULATOR_HOST=127.0.0.1:1
PUBSUB_EMULATOR_HOST=127.0.0.1:2
GOOGLE_CLOUD_PROJECT=kupyterhub-local
KUBECONFIG=/k
PROXY_URL=http://127.0.0.1:3
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / ".kupyterhub").mkdir()
    (tmp_path / ".kupyterhub/env").write_text(ENV)
    (tmp_path / "docs/more").mkdir(parents=True)
    return tmp_path


def test_the_local_system_is_found_from_a_folder_below(checkout: Path) -> None:
    found = place.find(None, {"GOOGLE_CLOUD_PROJECT": "elsewhere"}, checkout / "docs/more")
    assert (found.project, found.firestore, found.is_google) == ("kupyterhub-local", "127.0.0.1:1", False)
    assert str(checkout / ".kupyterhub") in str(found)


def test_a_project_that_is_given_is_never_an_emulator_that_was_found(checkout: Path) -> None:
    found = place.find("prod", {}, checkout)
    assert (found.project, found.firestore, found.is_google) == ("prod", None, True)


def test_without_a_local_system_the_environment_names_the_project(tmp_path: Path) -> None:
    assert place.find(None, {"GOOGLE_CLOUD_PROJECT": "prod"}, tmp_path).project == "prod"


def test_nothing_named_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="--project"):
        place.find(None, {"KUPYTERHUB_STATE": str(tmp_path / "none")}, tmp_path)
