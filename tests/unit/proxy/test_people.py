"""Who may open whose host."""

from pathlib import Path

from kupyterhub_proxy.people import People
from kupyterhub_rules.names import base_name

ADA, ADMIN = "ada@example.org", "admin@example.org"


def test_owners_and_administrators_may(tmp_path: Path) -> None:
    file = tmp_path / "admins"
    file.write_text("# who may open everything\n Admin@Example.org # a person\nno e-mail\n")
    people = People(file)
    assert people.admins() == {ADMIN}
    assert people.may_open(ADA, base_name(ADA))
    assert people.may_open(ADMIN, base_name(ADA))
    assert not people.may_open("eve@example.org", base_name(ADA))


def test_a_change_of_the_file_counts_at_once_and_without_it_nobody_is_one(tmp_path: Path) -> None:
    file = tmp_path / "admins"
    file.write_text(ADMIN)
    people = People(file)
    assert people.may_open(ADMIN, base_name(ADA))
    file.write_text("")
    assert not people.may_open(ADMIN, base_name(ADA))
    file.unlink()
    assert not people.may_open(ADMIN, base_name(ADA))
    assert people.may_open(ADA, base_name(ADA))
