"""What each command of `users` writes, publishes, prints and ends with."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kupyterhub_cli.domain.wishes import Write
from kupyterhub_rules.names import document_id
from unit.cli.stage import NOW, Stage

ADA = document_id("ada@example.com")
BOB = document_id("bob@example.com")
Out = pytest.CaptureFixture[str]


def test_several_people_are_added_by_one_word(stage: Stage, capsys: Out) -> None:
    assert stage.run("users", "add", "Ada@example.com,bob@example.com", "--profile", "gpu") == 0
    assert stage.users.stored == {
        ADA: {"email": "ada@example.com", "profile": "gpu"},
        BOB: {"email": "bob@example.com", "profile": "gpu"},
    }
    assert capsys.readouterr().out == "ada@example.com: added\nbob@example.com: added\n"


def test_adding_again_writes_nothing(stage: Stage, capsys: Out) -> None:
    stage.run("users", "add", "ada@example.com", "--name", "Ada")
    stage.users.writes.clear()
    assert stage.run("users", "add", "ada@example.com", "--name", "Ada") == 0
    assert stage.users.writes == []
    assert "there already" in capsys.readouterr().out


def test_adding_again_changes_what_is_given_and_never_the_state(stage: Stage, capsys: Out) -> None:
    user = stage.users.put("ada@example.com", state="stopped")
    assert stage.run("users", "add", "ada@example.com", "--profile", "gpu") == 0
    assert stage.users.writes == [Write(user, {"profile": "gpu"})]
    assert "is stopped" in capsys.readouterr().out


def test_the_state_of_who_is_there_is_written_when_it_is_asked_for(stage: Stage) -> None:
    stage.users.put("ada@example.com", state="stopped")
    assert stage.run("users", "add", "ada@example.com", "--state", "running") == 0
    assert stage.users.stored[ADA]["state"] == "running"


def test_a_document_under_another_id_is_no_reason_for_a_second_user(stage: Stage) -> None:
    stage.users.put("Ada@Example.com", user="somebody")
    assert stage.run("users", "add", "ada@example.com") == 0
    assert list(stage.users.stored) == ["somebody"]


def test_somebody_who_adds_the_same_person_at_the_same_time_is_not_overwritten(stage: Stage, capsys: Out) -> None:
    def meanwhile() -> None:
        stage.users.put("ada@example.com", state="stopped")

    stage.users.before_write = meanwhile
    assert stage.run("users", "add", "ada@example.com", "--profile", "gpu") == 0
    assert stage.users.stored[ADA] == {"email": "ada@example.com", "state": "stopped"}
    assert "there already" in capsys.readouterr().out


def test_one_wrong_email_adds_nobody(stage: Stage, capsys: Out) -> None:
    assert stage.run("users", "add", "ada@example.com", "bob") == 2
    assert stage.users.stored == {}
    assert "bob" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(stage: Stage, capsys: Out) -> None:
    stage.users.put("bob@example.com")
    assert stage.run("users", "add", "ada@example.com", "--dry-run") == 0
    assert stage.run("users", "stop", "bob@example.com", "--dry-run") == 0
    assert stage.run("users", "delete", "bob@example.com", "--purge", "--dry-run") == 0
    assert (stage.users.writes, stage.topics.published) == ([], [])
    assert "would be added" in capsys.readouterr().out


def test_wait_ends_when_everybody_is_ready(stage: Stage, capsys: Out) -> None:
    stage.on_sleep = lambda: stage.users.settle(ADA, "Ready", proxyUrl="http://ada/")
    assert stage.run("users", "add", "ada@example.com", "--wait") == 0
    assert "http://ada/" in capsys.readouterr().out


def test_wait_ends_with_five_for_who_is_rejected(stage: Stage, capsys: Out) -> None:
    stage.on_sleep = lambda: stage.users.settle(ADA, "Rejected", message="email: is not allowed here.")
    assert stage.run("users", "add", "ada@example.com", "--wait") == 5
    assert "is not allowed here" in capsys.readouterr().out


def test_wait_ends_with_five_when_the_time_is_up(stage: Stage, capsys: Out) -> None:
    assert stage.run("users", "add", "ada@example.com", "--wait", "--timeout", "3") == 5
    assert stage.now <= NOW + timedelta(seconds=4)
    assert "kupyterhub doctor" in capsys.readouterr().err


def test_markup_in_names_is_text_and_terminals_are_not_steered(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com", displayName="[red]Ada[/red] \x1b]0;title\x07")
    assert stage.run("users", "show", "ada@example.com") == 0
    shown = capsys.readouterr().out
    assert "[red]Ada[/red]" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_stopping_asks_first_and_without_a_terminal_does_nothing(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("users", "stop", "ada@example.com") == 6
    assert stage.users.writes == []
    assert "--yes" in capsys.readouterr().err
    assert stage.run("users", "stop", "ada@example.com", "--yes") == 0
    assert stage.users.stored[ADA]["state"] == "stopped"


def test_starting_calls_off_a_purge(stage: Stage) -> None:
    stage.users.put("ada@example.com", state="deleted", purge=True)
    assert stage.run("users", "start", "ada@example.com") == 0
    assert stage.users.stored[ADA] == {"email": "ada@example.com", "state": "running"}


def test_restart_asks_the_controller(stage: Stage) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("users", "restart", ADA, "--yes") == 0
    assert stage.users.stored[ADA]["restart"] is True


def test_restarting_who_is_stopped_says_how_to_start_them_and_waits_for_nothing(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com", state="stopped")
    stage.users.settle(ADA, "Stopped")
    began = stage.now
    assert stage.run("users", "restart", ADA, "--yes", "--wait", "--timeout", "60") == 5
    assert "kupyterhub users start ada@example.com" in "".join(capsys.readouterr())
    assert (stage.now - began).total_seconds() < 10


def test_who_has_expired_is_shown_as_that(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    stage.users.settle(ADA, "Deleted", reason="Expired", message="Deleted. The notebooks are kept.")
    assert stage.run("users", "list") == 0
    assert "Expired. Deleted. The notebooks are kept." in capsys.readouterr().out


def test_what_happened_is_told_once_whether_or_not_it_was_moved_to_the_history(stage: Stage, capsys: Out) -> None:
    def change(phase: str, minute: int, **more: Any) -> dict[str, Any]:
        return {"phase": phase, "at": NOW + timedelta(minutes=minute), "event": "user-written 1", **more}

    changes = [change("Stopped", 2), change("Provisioning", 3), change("Ready", 4)]
    stage.users.put("ada@example.com")
    stage.users.settle(ADA, "Ready", changes=[*changes, "rubbish"])
    # The third is moved just now, and somebody has edited the last.
    gone = NOW + timedelta(days=90)
    stage.users.moved = [change("Stopped", 2, expireAt=gone), change("Ready", 1, expireAt=gone), {"at": "noon"}]

    assert stage.run("users", "show", ADA, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert [each.get("phase") for each in told["history"]] == ["Ready", "Provisioning", "Stopped", "Ready", None]
    assert stage.run("users", "show", ADA) == 0
    shown = capsys.readouterr().out
    assert "changes" not in shown
    assert shown.index("08:04:00") < shown.index("08:03:00") < shown.index("08:01:00")


def test_an_end_that_is_over_is_refused(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("users", "add", "ada@example.com", "--expires", "2001-01-01") == 2
    assert "--expires 2001-01-01 is over" in " ".join(capsys.readouterr().err.split())
    assert "expiresAt" not in stage.users.stored[ADA]


@pytest.mark.parametrize("verb", ["stop", "start", "restart", "delete", "show", "url"])
def test_a_user_who_is_not_there_stops_everything(stage: Stage, capsys: Out, verb: str) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("users", verb, "ada@example.com", "nobody@example.com") == 3
    assert (stage.users.writes, stage.topics.published) == ([], [])
    assert "nobody@example.com" in capsys.readouterr().err


def test_who_is_gone_by_the_time_of_the_write_is_named(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    stage.users.before_write = stage.users.stored.clear
    assert stage.run("users", "start", "ada@example.com") == 4
    assert "ada@example.com" in capsys.readouterr().err


def test_delete_publishes(stage: Stage) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("users", "delete", "ada@example.com", "--yes") == 0
    assert stage.topics.published == [("delete-user", {"user": ADA})]


def test_delete_and_purge_are_refused_without_an_answer(stage: Stage) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("users", "delete", "ada@example.com", "--purge") == 6
    assert stage.topics.published == []


def test_files_of_somebody_without_a_document_are_purged_by_their_email(stage: Stage) -> None:
    assert stage.run("users", "delete", "ada@example.com", "--purge", "--yes") == 0
    assert stage.topics.published == [("delete-user", {"email": "ada@example.com", "purge": True})]


def test_a_deletion_is_waited_for(stage: Stage) -> None:
    stage.users.put("ada@example.com")
    stage.users.settle(ADA, "Ready")

    def acted_on() -> None:
        stage.users.stored[ADA]["state"] = "deleted"
        stage.users.settle(ADA, "Deleted", deletedAt=NOW)

    stage.on_sleep = acted_on
    assert stage.run("users", "delete", "ada@example.com", "--yes", "--wait") == 0


def test_url_prints_nothing_but_urls(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    stage.users.settle(ADA, "Ready", proxyUrl="http://ada/")
    assert stage.run("users", "url", "ada@example.com") == 0
    assert capsys.readouterr().out == "http://ada/\n"
    stage.users.put("bob@example.com", state="stopped")
    stage.users.settle(BOB, "Stopped")
    assert stage.run("users", "url", "ada@example.com,bob@example.com") == 5
    assert capsys.readouterr().out == "ada@example.com\thttp://ada/\n"


def test_opening_who_is_stopped_offers_to_start(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com", state="stopped")
    assert stage.run("open", "ada@example.com") == 5
    assert "--start" in capsys.readouterr().err


def test_a_search_reads_only_what_has_its_trigram(stage: Stage, capsys: Out) -> None:
    for name in ("ada", "adam", "bob"):
        user = stage.users.put(f"{name}@example.com")
        stage.users.settle(user, "Ready", terms=[name[:3]])
    assert stage.run("users", "list", "adam") == 0
    assert "adam@example.com" in (shown := capsys.readouterr().out)
    assert "ada@example.com" not in shown
    assert stage.users.read == 2


def test_a_list_has_pages(stage: Stage, capsys: Out) -> None:
    for number in range(5):
        stage.users.put(f"s{number}@example.com", user=f"u{number}")
    assert stage.run("users", "list", "--limit", "2", "--json") == 0
    captured = capsys.readouterr()
    assert [user["id"] for user in json.loads(captured.out)] == ["u0", "u1"]
    assert "--after u1" in captured.err
    assert stage.users.read == 2
    assert stage.run("users", "list", "--after", "u3") == 0
    assert "--after" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("ab",), ("--phase", "Asleep")], ids=["short", "phase"])
def test_a_list_that_cannot_be_made_says_why(stage: Stage, capsys: Out, arguments: tuple[str, ...]) -> None:
    assert stage.run("users", "list", *arguments) == 2
    assert capsys.readouterr().err


def test_import_takes_good_rows_and_keeps_bad_ones(stage: Stage, tmp_path: Path, capsys: Out) -> None:
    file = tmp_path / "class.csv"
    file.write_text("email;name\nada@example.com;Ada\nnobody;=1+1\n")
    assert stage.run("users", "import", str(file)) == 4
    assert stage.users.stored == {ADA: {"email": "ada@example.com", "displayName": "Ada"}}
    with (tmp_path / "class.rejected.csv").open(encoding="utf-8-sig", newline="") as rows:
        assert list(csv.reader(rows)) == [
            ["line", "reason", "email", "name"],
            ["3", "email: 'nobody' is no e-mail address", "nobody", "'=1+1"],
        ]
    assert "1 rows were refused" in capsys.readouterr().err


def test_import_leaves_the_state_of_who_is_there(stage: Stage, tmp_path: Path) -> None:
    stage.users.put("ada@example.com", state="stopped")
    file = tmp_path / "class.csv"
    file.write_text("email,state\nada@example.com,running\nbob@example.com,stopped\n")
    assert stage.run("users", "import", str(file)) == 0
    assert (stage.users.stored[ADA]["state"], stage.users.stored[BOB]["state"]) == ("stopped", "stopped")
    assert stage.run("users", "import", str(file), "--overwrite-state") == 0
    assert stage.users.stored[ADA]["state"] == "running"


def test_a_dry_import_writes_no_file_either(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "class.csv"
    file.write_text("email\nada@example.com\nnobody\n")
    assert stage.run("users", "import", str(file), "--dry-run") == 4
    assert (stage.users.stored, list(tmp_path.iterdir())) == ({}, [file])


def test_a_file_that_is_not_there_is_no_traceback(stage: Stage, capsys: Out) -> None:
    assert stage.run("users", "import", "nowhere.csv") == 2
    assert "nowhere.csv cannot be read" in capsys.readouterr().err


def test_export_is_inert_and_can_be_imported(stage: Stage, tmp_path: Path) -> None:
    stage.users.put("ada@example.com", displayName="=HYPERLINK(1)", profile="gpu")
    assert stage.run("users", "export", "--output", "all.csv") == 0
    text = (tmp_path / "all.csv").read_text("utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    stage.users.stored.clear()
    assert stage.run("users", "import", "all.csv") == 0
    assert stage.users.stored[ADA] == {"email": "ada@example.com", "displayName": "=HYPERLINK(1)", "profile": "gpu"}


def test_logs_are_text(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    assert stage.run("logs", "ada@example.com") == 0
    assert capsys.readouterr().out == "it starts [bold]now[/bold]\n"


def test_watch_says_each_change_once(stage: Stage, capsys: Out) -> None:
    stage.users.put("ada@example.com")
    stage.on_sleep = lambda: stage.users.settle(ADA, "Ready", updatedAt=NOW + timedelta(seconds=1))
    assert stage.run("watch", "--for", "5") == 0
    assert capsys.readouterr().out.count("ada@example.com: Ready") == 1


def test_help_needs_no_system(stage: Stage, capsys: Out) -> None:
    assert stage.run("--help") == 0
    assert "doctor" in capsys.readouterr().out
