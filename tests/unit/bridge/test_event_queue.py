from datetime import timedelta
from pathlib import Path

from kupyterhub_local.bridge.event import Event
from kupyterhub_local.bridge.event_queue import EventQueue


def event(name: str) -> Event:
    return Event(function="on_x", headers={"ce-id": name, "ce-subject": "é 中%2F@"}, body=name.encode() + b"\x00\xff")


def test_an_event_comes_back_as_it_was_after_the_file_was_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "queue.sqlite"
    with EventQueue(file) as queue:
        queue.add(event("a"), now=1.0)
    with EventQueue(file) as queue:
        (entry,) = queue.due(1.0, 10, retries=False)
        assert queue.event(entry) == event("a")


def test_the_oldest_are_due_first(tmp_path: Path) -> None:
    with EventQueue(tmp_path / "q") as queue:
        for name in ("a", "b", "c"):
            queue.add(event(name), now=1.0)

        assert [queue.event(e).id for e in queue.due(1.0, 2, retries=False)] == ["a", "b"]


def test_a_postponed_event_is_a_retry_and_due_only_later(tmp_path: Path) -> None:
    with EventQueue(tmp_path / "q") as queue:
        queue.add(event("a"), now=1.0)
        queue.postpone(queue.due(1.0, 1, retries=False)[0], due=5.0)

        assert queue.due(9.0, 10, retries=False) == []
        assert queue.due(4.9, 10, retries=True) == []
        assert queue.next_due(4.9) == 5.0
        assert [e.attempts for e in queue.due(5.0, 10, retries=True)] == [1]


def test_a_removed_event_is_gone(tmp_path: Path) -> None:
    with EventQueue(tmp_path / "q") as queue:
        queue.add(event("a"), now=1.0)
        queue.remove(queue.due(1.0, 1, retries=False)[0])

        assert len(queue) == 0
        assert queue.next_due(0.0) is None


def test_hurry_makes_what_was_postponed_due(tmp_path: Path) -> None:
    with EventQueue(tmp_path / "q") as queue:
        queue.add(event("a"), now=1.0)
        queue.postpone(queue.due(1.0, 1, retries=False)[0], due=100.0)

        assert queue.hurry(2.0) == 1
        assert len(queue.due(2.0, 10, retries=True)) == 1


def test_only_what_is_older_than_the_retention_expires(tmp_path: Path) -> None:
    with EventQueue(tmp_path / "q") as queue:
        queue.add(event("old"), now=1.0)
        queue.add(event("young"), now=2.0)

        assert queue.expire(11.0, timedelta(seconds=10)) == ["old"]
        assert len(queue) == 1
