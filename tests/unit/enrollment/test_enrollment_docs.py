"""docs/enrolment.md says what the script does, and nothing else."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/enrolment.md").read_text()
SOURCES = ROOT / "infra/enrollment/src"
GOOGLE = "https://www.googleapis.com/auth/"


def first_cells(heading: str) -> list[str]:
    """The first column of the table with this heading."""
    _, _, table = PAGE.partition(f"| {heading} |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    return [row.strip().removeprefix("| ").partition(" |")[0].strip("`") for row in rows]


def test_every_scope_is_explained() -> None:
    manifest = json.loads((SOURCES / "appsscript.json").read_text())
    assert first_cells("scope") == [scope.removeprefix(GOOGLE) for scope in manifest["oauthScopes"]]


def test_every_column_is_explained() -> None:
    (block,) = re.findall(r"HEADINGS = Object\.freeze\(\[(.*?)\]\)", (SOURCES / "rows.js").read_text(), re.DOTALL)
    columns = [column for cell in first_cells("column") for column in cell.split(", ")]
    assert columns == re.findall(r"'([^']+)'", block)


def test_every_property_that_a_person_sets_is_explained() -> None:
    (names,) = re.findall(r"@typedef \{(.*)\} GivenProperty", (SOURCES / "properties.js").read_text())
    assert first_cells("property") == re.findall(r"'([^']+)'", names)


def test_every_state_is_explained() -> None:
    (block,) = re.findall(r"STATE = Object\.freeze\(\{(.*?)\}\)", (SOURCES / "states.js").read_text(), re.DOTALL)
    phases = {"Provisioning", "Waiting", "Failed", "Ready", "Stopped", "Deleted", "Rejected"}
    explained = {state for cell in first_cells("state") for state in cell.split(", ")}
    assert explained == phases | set(re.findall(r"'([^']+)'", block))
