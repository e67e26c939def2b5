"""Class lists as spreadsheets save them."""

import csv
import io
from datetime import UTC, datetime

import pytest

from kupyterhub_cli.domain import class_lists, text_files
from kupyterhub_cli.domain.class_lists import ClassList, NoEmails
from kupyterhub_cli.domain.emails import split


def read(text: str) -> ClassList:
    return class_lists.read(text, changes_state=False)


def emails(found: ClassList) -> list[str]:
    return [wish.email for wish in found.wishes]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("email;name\nada@example.com;Zoë\n".encode("utf-8-sig"), "Zoë"),
        ("email,name\r\nada@example.com,Zoë\r\n".encode(), "Zoë"),
        ("email\tname\nada@example.com\tZoë\n".encode("utf-16"), "Zoë"),
        ("email;name\nada@example.com;Zoë\n".encode("cp1252"), "Zoë"),
        (b"sep=;\nE-Mail;Name\n ADA@example.com ;Lovelace, Ada\n", "Lovelace, Ada"),
        (b'name,email\n"Lovelace, Ada",ada@example.com\n', "Lovelace, Ada"),
        (b'name,email\r"Lovelace\nAda",ada@example.com\r', "Lovelace\nAda"),
    ],
    ids=["utf-8 with mark", "utf-8", "utf-16 and tabs", "windows-1252", "sep line", "quoted", "line break in a cell"],
)
def test_encodings_and_delimiters_of_spreadsheets(content: bytes, name: str) -> None:
    text, _ = text_files.decode(content)
    (wish,) = read(text).wishes
    assert (wish.email, wish.fields["displayName"]) == ("ada@example.com", name)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(text_files.Unreadable):
        text_files.decode(b"PK\x03\x04\x00\x00\x00")
    with pytest.raises(text_files.Unreadable, match="utf-8"):
        text_files.decode(b"\xff\xfe\xfd", "utf-8")


def test_a_bare_list_of_emails_needs_no_heading() -> None:
    assert emails(read("ada@example.com\nbob@example.com\n")) == ["ada@example.com", "bob@example.com"]


def test_a_file_without_emails_is_refused() -> None:
    with pytest.raises(NoEmails):
        read("name,age\nAda,36\n")


def test_bad_rows_are_kept_with_line_and_reason_and_good_ones_are_taken() -> None:
    found = read(
        "email,state,expires\n"
        "ada@example.com,running,2026-12-31\n"
        "not an email,,\n"
        ",running,\n"
        "ADA@example.com,,\n"
        "bob@example.com,asleep,soon\n"
        "cleo@example.com,,,surplus\n"
    )
    assert emails(found) == ["ada@example.com"]
    assert found.wishes[0].fields == {"state": "running", "expiresAt": datetime(2027, 1, 1, tzinfo=UTC)}
    assert [(each.line.number, each.reason.partition(":")[0]) for each in found.refused] == [
        (3, "email"),
        (4, "email"),
        (5, "email"),
        (6, "state"),
        (7, "the line has 4 cells, the heading 3; quote a cell that has a delimiter"),
    ]
    assert "expiresAt" in found.refused[3].reason


def test_a_cell_beyond_the_csv_modules_limit_is_a_bad_row_and_not_the_end() -> None:
    found = read(f"email,name\nada@example.com,{'x' * 200_000}\nbob@example.com,Bob\n")
    assert emails(found) == ["bob@example.com"]
    assert "cannot be read" in found.refused[0].reason


def test_refused_rows_can_be_mended_and_imported() -> None:
    refused = class_lists.refused_rows(read("email,name\nada at example.com,=1+1\n"))
    text = "".join(text_files.write(refused))
    assert text.splitlines()[1].split(",")[-1] == "'=1+1"
    again = read(text.replace("ada at example.com", "ada@example.com"))
    assert [(wish.email, wish.fields) for wish in again.wishes] == [("ada@example.com", {"displayName": "=1+1"})]
    assert again.ignored == ()


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'tis", "Ada"])
def test_cells_come_back_from_a_spreadsheet_as_they_were(cell: str) -> None:
    (row,) = csv.reader(io.StringIO("".join(text_files.write([[cell]])), newline=""))
    assert row[0][0] not in "=+-@\t\r"
    assert text_files.plain(row[0]) == cell


def test_several_in_one_word_come_once_each() -> None:
    assert list(split(["a@x.y,b@x.y", "c@x.y; a@x.y", " ", "u-1"])) == ["a@x.y", "b@x.y", "c@x.y", "u-1"]
