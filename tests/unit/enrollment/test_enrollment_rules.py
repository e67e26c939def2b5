"""The rules of the enrolment script: what is pure in it, with its own tests in JavaScript."""

from pathlib import Path

import pytest

from unit.enrollment import node_tests

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_rules_of_the_enrolment_script(file: Path) -> None:
    node_tests.run(file)
