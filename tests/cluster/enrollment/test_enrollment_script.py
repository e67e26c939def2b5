"""The enrolment script, whole, against the Firestore emulator: only Google's services at its edge are twins."""

from pathlib import Path

import pytest

from local_system import RunningEmulators
from unit.enrollment import node_tests

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_enrolment_by_form_and_sheet(file: Path, emulators: RunningEmulators) -> None:
    node_tests.run(file, {"FIRESTORE_EMULATOR_HOST": emulators.firestore_host})
