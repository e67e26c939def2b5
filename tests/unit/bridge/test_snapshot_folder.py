from pathlib import Path

import pytest

from kupyterhub_local.bridge import latest_snapshot
from kupyterhub_local.bridge.snapshot_folder import SnapshotFolder


def complete(folder: SnapshotFolder, name: str) -> Path:
    (folder.path / name).mkdir()
    metadata = folder.path / name / f"{name}.overall_export_metadata"
    metadata.write_text("x")
    return metadata


def test_a_folder_that_does_not_exist_has_no_snapshot(tmp_path: Path) -> None:
    assert latest_snapshot(tmp_path / "nowhere") is None
    assert latest_snapshot(tmp_path) is None


def test_the_published_snapshot_is_the_latest_and_the_older_is_removed(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    first, second = folder.new_name(), folder.new_name()
    complete(folder, first)
    folder.publish(first)
    metadata = complete(folder, second)
    folder.publish(second)

    assert latest_snapshot(tmp_path) == metadata
    assert sorted(p.name for p in tmp_path.iterdir()) == ["current", second]


def test_a_half_written_export_is_not_used_and_removed_by_the_next_start(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    whole, half = folder.new_name(), folder.new_name()
    metadata = complete(folder, whole)
    folder.publish(whole)
    (tmp_path / half).mkdir()

    with pytest.raises(FileNotFoundError, match="not complete"):
        folder.publish(half)
    assert latest_snapshot(tmp_path) == metadata

    SnapshotFolder(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["current", whole]


def test_a_kill_between_the_new_link_and_its_rename_does_no_harm(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    (tmp_path / "current.new").symlink_to("gone")
    name = folder.new_name()
    metadata = complete(folder, name)

    folder.publish(name)

    assert latest_snapshot(tmp_path) == metadata
    assert not (tmp_path / "current.new").is_symlink()


def test_nothing_but_exports_is_ever_removed(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    folder = SnapshotFolder(tmp_path)
    name = folder.new_name()
    complete(folder, name)
    folder.publish(name)

    assert (tmp_path / "notes").is_dir()
